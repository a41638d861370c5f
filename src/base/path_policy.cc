// SPDX-License-Identifier: MIT
#include "base/path_policy.h"

#include <fcntl.h>
#include <linux/magic.h>
#include <sys/stat.h>
#include <sys/statfs.h>

#include <algorithm>
#include <cerrno>
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

/// Whether a link in `directory` to `real` is one of a Hugging Face cache, which has each file once
/// in `blobs` of the repository, and in `snapshots/<commit>` links to those.
bool IsHubLink(const fs::path& directory, const fs::path& real) {
  for (fs::path commit = directory; commit.has_relative_path(); commit = commit.parent_path()) {
    const fs::path snapshots = commit.parent_path();
    if (snapshots.filename() != "snapshots") continue;
    return real.parent_path() == snapshots.parent_path() / "blobs";
  }
  return false;
}

/// What the kernel says of an open file.
fs::path RealPath(int fd) {
  std::error_code error;
  return fs::read_symlink("/proc/self/fd/" + std::to_string(fd), error);
}

/// Follows links, and opens a regular file only: opening another can have effects.
Result<UniqueFd> OpenFollowing(const fs::path& path, const std::string& name) {
  const UniqueFd place(::open(path.c_str(), O_PATH | O_CLOEXEC));
  struct stat info{};
  if (!place.valid() || ::fstat(place.get(), &info) != 0) {
    return ErrnoStatus(errno, "cannot open " + name);
  }
  if (!S_ISREG(info.st_mode)) {
    return Status(Reason::kUnsafePath, "'" + name + "' leads to something that is not a file");
  }
  const std::string again = "/proc/self/fd/" + std::to_string(place.get());
  UniqueFd fd(::open(again.c_str(), O_RDONLY | O_NONBLOCK | O_CLOEXEC));
  if (!fd.valid()) return ErrnoStatus(errno, "cannot open " + name);
  return fd;
}

}  // namespace

fs::path ResolveLinks(const fs::path& path, std::error_code& error) {
  const fs::path absolute = fs::absolute(path, error);
  fs::path resolved = fs::weakly_canonical(absolute, error);
  std::error_code missing;
  if (error || !fs::is_symlink(absolute, missing)) return resolved;
  const fs::path folder = fs::weakly_canonical(absolute.parent_path(), error);
  return !error && IsHubLink(folder, resolved) ? folder / absolute.filename() : resolved;
}

bool PathPolicy::MayLead(const fs::path& directory, const fs::path& real) const {
  if (!anywhere_) return IsAllowed(real);
  return IsBelow(real, directory) || IsHubLink(directory, real);
}

Result<UniqueFd> PathPolicy::Open(const fs::path& directory, std::string_view relative) const {
  const std::string name = Excerpt(relative);
  Result<UniqueFd> fd = OpenBeneath(directory, relative);
  const bool without_links = fd.ok();
  if (!without_links) {
    if (fd.status().reason() != Reason::kUnsafePath || !IsSafeRelativePath(relative)) return fd;
    fd = OpenFollowing(directory / relative, name);
    if (!fd.ok()) return fd;
  }
  const fs::path real = RealPath(fd->get());
  // Without /proc nothing more can be said of a file that was opened without links.
  if (without_links && (anywhere_ || real.empty())) return fd;
  if (MayLead(directory, real) && !IsOfTheKernel(real)) return fd;
  return Status(Reason::kUnsafePath, "'" + name + "' leads through a symbolic link or outside");
}

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
  fs::path resolved = ResolveLinks(path, error);
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
