// SPDX-License-Identifier: MIT
#pragma once

#include <filesystem>
#include <string_view>
#include <vector>

#include "base/result.h"

namespace mlos {

/// Which paths that strangers name may be opened: those below one of some folders, symbolic links
/// followed first, so that a link inside leads nowhere else. Thread-compatible.
class PathPolicy {
 public:
  static PathPolicy Anywhere() { return PathPolicy({}, true); }
  static PathPolicy Below(std::vector<std::filesystem::path> folders) {
    return PathPolicy(std::move(folders), false);
  }

  /// The path without links, of something that exists. PATH_NOT_ALLOWED, FILE_NOT_FOUND,
  /// INVALID_FIELD, none of which tells more of the machine's files than the caller wrote.
  Result<std::filesystem::path> Resolve(std::string_view path) const;

 private:
  PathPolicy(std::vector<std::filesystem::path> folders, bool anywhere)
      : folders_(std::move(folders)), anywhere_(anywhere) {}
  bool IsAllowed(const std::filesystem::path& resolved) const;

  std::vector<std::filesystem::path> folders_;
  bool anywhere_;
};

}  // namespace mlos
