// SPDX-License-Identifier: MIT
#include "axon/install/import.h"

#include <algorithm>

#include "axon/install/describe.h"
#include "axon/ui/hint.h"
#include "base/files.h"
#include "package/onnx/model.h"
#include "package/verify.h"

namespace axon::install {
namespace {

namespace fs = std::filesystem;
namespace package = mlos::package;
using mlos::ModelId;
using mlos::Reason;
using mlos::Result;
using mlos::Status;
using package::FileEntry;
using package::HashProgress;
using package::Manifest;
using Files = std::vector<FileEntry>;

/// The digests of all files of a package, listed in its manifest or not.
Result<Files> DigestAll(const fs::path& directory, const HashProgress& progress) {
  Files files;
  for (const std::string& path : MLOS_TRY(package::ListFiles(directory))) {
    if (path == package::kManifestFileName || path == package::kInstallRecordFileName) continue;
    const auto digest = MLOS_TRY(package::DigestBeneath(directory, path, progress));
    files.push_back({path, digest.size_bytes, digest.sha256});
  }
  return files;
}

/// The graph that a package of the existing tool executes: the one it names, or the only one; empty
/// if there is none.
std::string GraphOf(const Manifest& legacy, const Files& files) {
  std::vector<std::string> named;
  for (const package::ExecutionFile& file : legacy.format.execution_files) {
    if (file.format == "onnx") named.push_back(file.path);
  }
  if (named.empty()) {
    for (const FileEntry& file : files) {
      if (file.path.ends_with(".onnx")) named.push_back(file.path);
    }
  }
  return named.size() == 1 ? named.front() : std::string();
}

Result<Manifest> ManifestOf(const InstallContext& context, const fs::path& directory) {
  package::ParsedManifest parsed =
      MLOS_TRY(package::ReadManifest(directory / package::kManifestFileName));
  for (const std::string& warning : parsed.warnings) context.console.Warn(warning);
  return std::move(parsed.manifest);
}

/// The manifest that a package of the existing tool should have had: with digests, and with the
/// graph's own statements in place of guesses.
Result<Manifest> Upgrade(const Manifest& legacy, const fs::path& directory,
                         const HashProgress& progress) {
  Manifest manifest = legacy;
  manifest.api_version = package::kApiVersion;
  manifest.format.files = MLOS_TRY(DigestAll(directory, progress));
  const std::string graph = GraphOf(legacy, manifest.format.files);
  manifest.extension = package::Extension{
      .generator = Generator(), .source = {.hub = "file"}, .graph = graph, .verified = false};
  if (graph.empty()) return manifest;
  manifest.io = IoOf(MLOS_TRY(package::onnx::CheckModel(directory, graph)));
  manifest.format.execution_format = "onnx";
  manifest.format.execution_files = {{graph, "onnx", "single"}};
  return manifest;
}

/// Verifies the unpacked package and brings its manifest to our form.
Result<Manifest> Inspect(const InstallContext& context, const fs::path& directory) {
  Manifest manifest = MLOS_TRY(ManifestOf(context, directory));
  const HashProgress go_on = context.go_on();
  const auto report = MLOS_TRY(package::VerifyDirectory(directory, manifest, go_on));
  MLOS_TRY(package::ToStatus(report));
  if (!manifest.strict()) {
    manifest = MLOS_TRY(Upgrade(manifest, directory, go_on));
  } else if (!manifest.extension->graph.empty()) {
    MLOS_TRY(package::onnx::CheckModel(directory, manifest.extension->graph));
  }
  MLOS_TRY(package::CheckManifest(manifest));
  return manifest;
}

bool IsInstalled(const store::Store& store, const ModelId& id, const Manifest& manifest) {
  const fs::path file = store.layout().Model(id) / package::kManifestFileName;
  const auto installed = package::ReadManifest(file);
  return installed.ok() && installed->manifest == manifest;
}

/// Whether the model installed under `id` still agrees with its manifest.
Result<bool> IsIntact(const InstallContext& context, const ModelId& id, const Manifest& manifest) {
  const fs::path directory = context.store.layout().Model(id);
  const auto report = package::VerifyDirectory(directory, manifest, context.go_on());
  if (!report.ok() && report.status().reason() == Reason::kCancelled) return report.status();
  if (report.ok() && report->ok()) return true;
  context.console.Warn("what is installed as " + id.text() +
                       " has changed on disk; it is installed again");
  return false;
}

Status CheckId(const store::Store& store, const ModelId& id, bool force) {
  if (id.name_space().empty() || id.version().empty()) {
    return {Reason::kInvalidManifest, "the package lacks a namespace or a version: " + id.text()};
  }
  if (force || !store.Find(id).ok()) return mlos::OkStatus();
  return ui::WithHint({Reason::kAlreadyExists, "another package is installed as " + id.text()},
                      "--force replaces it");
}

Status Fill(store::Staging& staging, const ModelId& id, const Manifest& manifest,
            const HashProgress& go_on) {
  for (const package::FileEntry& file : manifest.format.files) {
    MLOS_TRY(staging.Intern(file.path, *file.sha256, go_on));
  }
  MLOS_TRY(staging.Write(package::kManifestFileName, package::WriteManifest(manifest)));
  return staging.Write(package::kInstallRecordFileName, InstallRecord(id));
}

}  // namespace

Result<Imported> ImportArchive(const InstallContext& context, const fs::path& archive, bool force) {
  // Checked before the store is touched, because most bad packages fail here.
  MLOS_TRY(package::ReadArchivedManifest(archive));
  store::Staging staging = MLOS_TRY(context.store.Stage());
  MLOS_TRY(package::ExtractArchive(archive, staging.model()));
  const Manifest manifest = MLOS_TRY(Inspect(context, staging.model()));
  const ModelId id = MLOS_TRY(package::ModelIdOf(manifest));
  if (!IsInstalled(context.store, id, manifest)) {
    MLOS_TRY(CheckId(context.store, id, force));
  } else if (!force && MLOS_TRY(IsIntact(context, id, manifest))) {
    return Imported{MLOS_TRY(context.store.Find(id)), manifest.verified(), true};
  }
  MLOS_TRY(Fill(staging, id, manifest, context.go_on()));
  if (context.cancel.IsSet()) return Status(Reason::kCancelled, "interrupted");
  MLOS_TRY(staging.Publish(id));
  return Imported{MLOS_TRY(context.store.Find(id)), manifest.verified(), false};
}

Status ExportArchive(const InstallContext& context, const store::InstalledModel& model,
                     const fs::path& archive) {
  const Manifest manifest = MLOS_TRY(ManifestOf(context, model.directory));
  std::uint64_t total_bytes = 0;
  for (const package::FileEntry& file : manifest.format.files) total_bytes += file.size_bytes;
  std::uint64_t done_bytes = 0;
  context.console.BeginProgress("packing", total_bytes);
  const Status written =
      package::WriteArchive(model.directory, manifest, archive, package::CompressionOf(archive),
                            [&](std::uint64_t bytes) {
                              context.console.MoveProgress(done_bytes += bytes);
                              return !context.cancel.IsSet();
                            });
  context.console.EndProgress();
  return written;
}

}  // namespace axon::install
