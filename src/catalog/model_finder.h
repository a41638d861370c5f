// SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/files.h"
#include "base/path_policy.h"
#include "base/result.h"
#include "catalog/digest_memory.h"
#include "catalog/model_info.h"
#include "package/model_files.h"
#include "registry/records.h"
#include "store/copies.h"
#include "store/packages.h"

namespace mlos::catalog {

/// The files of a model that is about to be registered.
struct FoundModel {
  package::ModelFiles files;
  /// As asked for, without symbolic links (see ResolveLinks).
  std::filesystem::path path;
  std::filesystem::path manifest_path;
  /// Where the files are: `path`, or where the archive was unpacked.
  std::filesystem::path served_path;
  /// Of an archive: keeps it unpacked until it is registered.
  std::unique_ptr<store::OwnedFolders::Pin> pin;
};

/// Whether a digest that is remembered will do, or every byte is to be read.
enum class Digesting : std::uint8_t { kRecall, kRead };

/// What the plugins know of formats.
struct KnownFormats {
  /// Asked with the format before any file is hashed; its refusal is handed on.
  std::function<Status(std::string_view execution_format)> accepts;
  std::vector<package::FormatExtension> extensions;
};

/// From what callers and the registry say of a model to its checked files. Thread-safe.
class ModelFinder {
 public:
  /// `digests` is the file in which the digests of files outlive the process.
  ModelFinder(PathPolicy policy, store::Packages& packages, store::Copies& copies,
              const std::filesystem::path& digests)
      : policy_(std::move(policy)),
        packages_(packages),
        copies_(copies),
        memory_(std::make_unique<DigestMemory>(digests)) {}

  /// Fills `found`. PATH_NOT_ALLOWED, FILE_NOT_FOUND, INVALID_PACKAGE and whatever
  /// package::FindModelFiles says, with `path` or `manifest_path` as field. Where an archive was
  /// unpacked and then refused, `found` has its folder and pin, and the caller removes it.
  Status Find(const RegisterModelRequest& request, KnownFormats formats, FoundModel& found);

  /// The files of a registered model, as they are now; only those are read that may have changed
  /// since they were last hashed (see DigestMemory). CHECKSUM_MISMATCH where they are not
  /// those that were registered.
  Result<package::ModelFiles> FindAgain(const registry::ModelRecord& record,
                                        Digesting digesting = Digesting::kRecall) const;
  /// Reads all files of a copy. CHECKSUM_MISMATCH if one is not what it was.
  Status CheckCopy(const package::ModelFiles& copy) const;

  /// The same files where only Core writes: for engines, and for the processes that try them. What
  /// was unpacked is Core's own already.
  Result<store::Copies::Copy> OwnCopy(package::ModelFiles files) const;

 private:
  Result<package::ModelFiles> Unpack(const package::ModelFilesRequest& request, bool anew,
                                     FoundModel& found);

  /// How files of a model at this path are opened.
  FileOpener OpenerOf(const std::filesystem::path& path) const;

  const PathPolicy policy_;
  store::Packages& packages_;
  store::Copies& copies_;
  // Loading a model again need not read files that are as they were.
  std::unique_ptr<DigestMemory> memory_;
};

}  // namespace mlos::catalog
