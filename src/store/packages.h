// SPDX-License-Identifier: MIT
#pragma once

#include <filesystem>
#include <memory>
#include <set>
#include <utility>

#include "base/result.h"
#include "store/owned_folders.h"

namespace mlos::store {

/// The archives that were registered, unpacked: one folder each, named by the digest of the
/// archive. A folder is complete or absent, also after a power cut. Thread-safe.
class Packages {
 public:
  struct Package {
    std::filesystem::path folder;
    /// True where the folder was there already.
    bool reused = false;
    /// Held while it is not yet, or no longer, the folder of a model.
    std::unique_ptr<OwnedFolders::Pin> pin;
  };

  /// Opens or creates `directory` and sweeps what is not in `used` out of it.
  static Result<std::unique_ptr<Packages>> Open(std::filesystem::path directory,
                                                const std::set<std::filesystem::path>& used);
  Packages(const Packages&) = delete;
  Packages& operator=(const Packages&) = delete;

  /// The folder with the contents of `archive`, unpacked where it is not there already, or `anew`.
  /// INVALID_PACKAGE, DISK_FULL, IO_ERROR leave nothing behind. See package::ExtractArchive.
  Result<Package> Unpack(const std::filesystem::path& archive, bool anew = false);

  /// True for a folder that Unpack made.
  bool Owns(const std::filesystem::path& folder) const { return folders_->Owns(folder); }
  /// Removes a folder of Unpack unless it is pinned.
  void Remove(const std::filesystem::path& folder);

 private:
  explicit Packages(std::unique_ptr<OwnedFolders> folders) : folders_(std::move(folders)) {}

  const std::unique_ptr<OwnedFolders> folders_;
};

}  // namespace mlos::store
