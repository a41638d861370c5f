// SPDX-License-Identifier: MIT
#include "base/path_policy.h"

#include <linux/magic.h>
#include <sys/statfs.h>

#include <algorithm>
#include <string>
#include <system_error>

#include "base/files.h"
#include "base/text.h"

namespace mlos {
namespace {

namespace fs = std::filesystem;

constexpr std::size_t kPathBytesMax = 4096;

bool IsBelow(const fs::path& path, const fs::path& folder) {
  const auto [end, rest] = std::mismatch(folder.begin(), folder.end(), path.begin(), path.end());
  return end == folder.end();
}

/// True for file systems whose files are answers of the kernel: they claim to be regular, have no
/// size, and reading them may have effects.
bool IsOfTheKernel(const fs::path& resolved) {
  struct statfs info{};
  if (::statfs(resolved.c_str(), &info) != 0) return false;
  switch (info.f_type) {
    case PROC_SUPER_MAGIC:
    case SYSFS_MAGIC:
    case DEBUGFS_MAGIC:
    case TRACEFS_MAGIC:
    case SECURITYFS_MAGIC:
    case CGROUP_SUPER_MAGIC:
    case CGROUP2_SUPER_MAGIC:
    case BPF_FS_MAGIC:
      return true;
    default:
      return false;
  }
}

}  // namespace

bool PathPolicy::IsAllowed(const fs::path& resolved) const {
  return std::any_of(folders_.begin(), folders_.end(), [&](const fs::path& folder) {
    std::error_code error;
    const fs::path real = fs::canonical(folder, error);
    return !error && IsBelow(resolved, real);
  });
}

Result<fs::path> PathPolicy::Resolve(std::string_view path) const {
  if (path.empty() || path.size() > kPathBytesMax || path.find('\0') != std::string_view::npos) {
    return Status(Reason::kInvalidField, "a path has 1 to 4096 bytes and no NUL");
  }
  std::error_code error;
  fs::path resolved = fs::weakly_canonical(fs::absolute(path, error), error);
  const std::string name = Excerpt(fs::path(path).filename().native());
  // This check comes first, so that the answer does not even tell whether a path outside exists.
  if (!anywhere_ && (error || !IsAllowed(resolved))) {
    return Status(Reason::kPathNotAllowed,
                  "'" + name + "' does not lie in a folder that Core may read it from");
  }
  if (!error && !fs::exists(resolved, error) && !error) {
    error = std::make_error_code(std::errc::no_such_file_or_directory);
  }
  if (error) return ErrnoStatus(error.value(), "cannot open '" + name + "'");
  if (IsOfTheKernel(resolved)) {
    return Status(Reason::kPathNotAllowed,
                  "'" + name + "' is on a virtual file system of the kernel, not on a disk");
  }
  return resolved;
}

}  // namespace mlos
