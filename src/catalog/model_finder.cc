// SPDX-License-Identifier: MIT
#include "catalog/model_finder.h"

#include <system_error>
#include <utility>

#include "base/files.h"
#include "base/log.h"
#include "base/text.h"

namespace mlos::catalog {
namespace {

namespace fs = std::filesystem;

bool IsArchive(const fs::path& path) {
  const fs::path name = path.filename();
  const bool compressed = name.extension() == ".gz" || name.extension() == ".zst";
  std::error_code error;
  return (compressed ? name.stem() : name).extension() == ".axon" &&
         fs::is_regular_file(path, error);
}

Status InField(Status status, std::string_view field) {
  return status.field().empty() ? std::move(status).WithField(field) : status;
}

template <typename T>
Result<T> InField(Result<T> result, std::string_view field) {
  if (result.ok()) return result;
  return InField(std::move(result).status(), field);
}

void LogWarnings(const RegisterModelRequest& request, const package::ModelFiles& files) {
  for (const std::string& warning : files.warnings) {
    Log(LogLevel::kWarning, "tolerated in a model's package",
        {{"model", request.model_id}, {"warning", warning}});
  }
}

}  // namespace

Status ModelFinder::Find(const RegisterModelRequest& request, KnownFormats formats,
                         FoundModel& found) {
  if (request.path.empty()) {
    return Status(Reason::kMissingField, "path is required: a model file, a folder or an archive")
        .WithField("path");
  }
  found.path = MLOS_TRY(InField(policy_.Resolve(request.path), "path"));
  found.served_path = found.path;
  if (!request.manifest_path.empty()) {
    found.manifest_path =
        MLOS_TRY(InField(policy_.Resolve(request.manifest_path), "manifest_path"));
  }
  package::ModelFilesRequest files_request;
  files_request.manifest = found.manifest_path;
  files_request.execution_format = request.execution_format;
  files_request.open = OpenerOf(found.path);
  files_request.digest = [this](int fd, std::string_view name) { return memory_->Hash(fd, name); };
  files_request.accepts = std::move(formats.accepts);
  files_request.extensions = std::move(formats.extensions);
  Result<package::ModelFiles> files = IsArchive(found.path)
                                          ? Unpack(files_request, false, found)
                                          : package::FindModelFiles(found.path, files_request);
  found.files = MLOS_TRY(InField(std::move(files), "path"));
  if (found.files.found_by_extension) found.served_path = found.files.EnginePath();
  LogWarnings(request, found.files);
  return OkStatus();
}

Result<package::ModelFiles> ModelFinder::Unpack(const package::ModelFilesRequest& request,
                                                bool anew, FoundModel& found) {
  store::Packages::Package package = MLOS_TRY(packages_.Unpack(found.path, anew));
  found.served_path = package.folder;
  found.pin = std::move(package.pin);
  std::error_code error;
  if (request.manifest.empty() && !fs::exists(package.folder / package::kManifestFileName, error)) {
    return Status(Reason::kInvalidPackage, "the archive has no manifest.yaml");
  }
  Result<package::ModelFiles> files = package::FindModelFiles(package.folder, request);
  // What was unpacked before may have been damaged since; the archive itself decides.
  if (files.ok() || !package.reused) return files;
  return Unpack(request, true, found);
}

Result<package::ModelFiles> ModelFinder::FindAgain(const registry::ModelRecord& record,
                                                   Digesting digesting) const {
  // The folders allowed may have changed since. What was unpacked is Core's own.
  if (!packages_.Owns(record.served_path)) MLOS_TRY(policy_.Resolve(record.served_path));
  package::ModelFilesRequest request;
  request.manifest = record.manifest_path;
  request.execution_format = record.execution_format;
  request.open = OpenerOf(record.served_path);
  request.digest = [this, digesting](int fd, std::string_view name) {
    return digesting == Digesting::kRead ? memory_->Hash(fd, name)
                                         : memory_->RecallOrHash(fd, name);
  };
  package::ModelFiles files = MLOS_TRY(package::FindModelFiles(record.served_path, request));
  if (files.digest.ToString() != record.digest) {
    return Status(Reason::kChecksumMismatch,
                  "the files of model '" + record.model_id +
                      "' have changed since it was registered; register it again to serve them");
  }
  return files;
}

Result<store::Copies::Copy> ModelFinder::OwnCopy(package::ModelFiles files) const {
  if (packages_.Owns(files.directory)) return store::Copies::Copy{.files = std::move(files)};
  const package::FileDigester recall =
      [this](const fs::path& folder, std::string_view relative) -> Result<package::FileDigest> {
    const UniqueFd fd = MLOS_TRY(OpenBeneath(folder, relative));
    return memory_->RecallOrHash(fd.get(), relative);
  };
  return copies_.Take(
      files, OpenerOf(files.directory), recall,
      [this](int fd, const package::FileDigest& digest) { memory_->Remember(fd, digest); });
}

Status ModelFinder::CheckCopy(const package::ModelFiles& copy) const {
  for (const package::FileEntry& file : copy.files) {
    const UniqueFd fd = MLOS_TRY(OpenBeneath(copy.directory, file.path));
    if (MLOS_TRY(memory_->Hash(fd.get(), file.path)).sha256 == file.sha256) continue;
    return {Reason::kChecksumMismatch, "'" + Excerpt(file.path) + "' of Core's copy has changed"};
  }
  return OkStatus();
}

FileOpener ModelFinder::OpenerOf(const fs::path& path) const {
  if (packages_.Owns(path)) return &OpenBeneath;
  return [this](const fs::path& directory, std::string_view relative) {
    return policy_.Open(directory, relative);
  };
}

}  // namespace mlos::catalog
