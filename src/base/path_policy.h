// SPDX-License-Identifier: MIT
#pragma once

#include <filesystem>
#include <string_view>
#include <system_error>
#include <vector>

#include "base/result.h"
#include "base/unique_fd.h"

namespace mlos {

/// The path of an existing file or folder without links, but for a file of a Hugging Face cache
/// (`snapshots/<commit>/x` → `blobs/<digest>`): that stays where its name and its neighbours are.
std::filesystem::path ResolveLinks(const std::filesystem::path& path, std::error_code& error);

/// Decides whether a path from a stranger may be opened: it must lie below one of some folders.
/// Symbolic links are followed first, so that a link inside cannot lead out. Thread-compatible.
class PathPolicy {
 public:
  static PathPolicy Anywhere() { return PathPolicy({}, true); }
  static PathPolicy Below(std::vector<std::filesystem::path> folders) {
    return PathPolicy(std::move(folders), false);
  }

  /// The path of an existing file or folder, with links resolved. PATH_NOT_ALLOWED, FILE_NOT_FOUND
  /// or INVALID_FIELD; no message tells more about the machine's files than the caller wrote.
  Result<std::filesystem::path> Resolve(std::string_view path) const;

  /// Opens a regular file of a model's folder, which Resolve gave, for reading. Where folders are
  /// named, it must lie in one of them; else a link on the way may lead within `directory`, or from
  /// a snapshot of a Hugging Face cache to the blobs of its repository. The file that is open is
  /// looked at, not its name. UNSAFE_PATH otherwise.
  Result<UniqueFd> Open(const std::filesystem::path& directory, std::string_view relative) const;

 private:
  PathPolicy(std::vector<std::filesystem::path> folders, bool anywhere)
      : folders_(std::move(folders)), anywhere_(anywhere) {}
  bool IsAllowed(const std::filesystem::path& resolved) const;
  bool MayLead(const std::filesystem::path& directory, const std::filesystem::path& real) const;

  std::vector<std::filesystem::path> folders_;
  bool anywhere_;
};

}  // namespace mlos
