// SPDX-License-Identifier: MIT
#pragma once

#include <sys/stat.h>

#include <filesystem>

namespace axon::store {

/// Calls `visit(path, stat)` for every entry of a folder. Skips an entry that disappears meanwhile;
/// a missing folder has no entries. Throws nothing.
template <typename Visit>
void ForEachEntry(const std::filesystem::path& folder, Visit visit) {
  std::error_code error;
  for (std::filesystem::directory_iterator at(folder, error), end; !error && at != end;
       at.increment(error)) {
    struct stat info{};
    if (::lstat(at->path().c_str(), &info) == 0) visit(at->path(), info);
  }
}

/// The same for everything below a folder, a folder before its contents. Symbolic links are not
/// followed, and a folder for which `visit` returns false is not entered.
template <typename Visit>
void ForEachBelow(const std::filesystem::path& folder, Visit visit) {
  ForEachEntry(folder, [&visit](const std::filesystem::path& path, const struct stat& info) {
    if (visit(path, info) && S_ISDIR(info.st_mode)) ForEachBelow(path, visit);
  });
}

}  // namespace axon::store
