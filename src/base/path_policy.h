// SPDX-License-Identifier: MIT
#pragma once

#include <filesystem>
#include <string_view>
#include <vector>

#include "base/result.h"

namespace mlos {

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

 private:
  PathPolicy(std::vector<std::filesystem::path> folders, bool anywhere)
      : folders_(std::move(folders)), anywhere_(anywhere) {}
  bool IsAllowed(const std::filesystem::path& resolved) const;

  std::vector<std::filesystem::path> folders_;
  bool anywhere_;
};

}  // namespace mlos
