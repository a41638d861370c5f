// SPDX-License-Identifier: MIT
#include "base/files.h"

#include <fcntl.h>
#include <linux/openat2.h>
#include <pwd.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdlib>
#include <system_error>
#include <utility>

namespace mlos {
namespace {

Reason ReasonOf(int error) {
  switch (error) {
    case ENOENT:
    case ENOTDIR:
    case ENAMETOOLONG:
      return Reason::kFileNotFound;
    case ELOOP:
      return Reason::kUnsafePath;
    // A folder, a socket, a pipe without a reader, a device that is not there.
    case EISDIR:
    case ENXIO:
    case ENODEV:
      return Reason::kInvalidField;
    case EMFILE:
    case ENFILE:
      return Reason::kOverloaded;
    case EACCES:
    case EPERM:
    case EROFS:
      return Reason::kPermissionDenied;
    case ENOSPC:
    case EDQUOT:
      return Reason::kDiskFull;
    case ENOMEM:
      return Reason::kOutOfMemory;
    default:
      return Reason::kIoError;
  }
}

Status WriteTemporary(const std::string& temporary, std::string_view bytes, unsigned mode,
                      const std::string& name) {
  const UniqueFd fd = MLOS_TRY(CreateFile(temporary, mode, name));
  MLOS_TRY(WriteAll(fd.get(), bytes, "cannot write " + name));
  if (::fsync(fd.get()) != 0) return ErrnoStatus(errno, "cannot sync " + name);
  return OkStatus();
}

Status FsyncPath(const std::filesystem::path& path, int flags) {
  const UniqueFd fd(::open(path.c_str(), flags | O_RDONLY | O_CLOEXEC));
  const std::string name = path.filename().string();
  if (!fd.valid()) return ErrnoStatus(errno, "cannot open " + name);
  if (::fsync(fd.get()) != 0) return ErrnoStatus(errno, "cannot sync " + name);
  return OkStatus();
}

Result<UniqueFd> OpenRegular(const std::filesystem::path& path, std::uint64_t& size_bytes) {
  const std::string name = path.filename().string();
  // O_NONBLOCK: opening a pipe must not wait for a writer.
  UniqueFd fd(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK));
  if (!fd.valid()) return ErrnoStatus(errno, "cannot open " + name);
  struct stat info{};
  if (::fstat(fd.get(), &info) != 0) return ErrnoStatus(errno, "cannot read " + name);
  if (!S_ISREG(info.st_mode)) return Status(Reason::kInvalidField, name + " is not a regular file");
  size_bytes = static_cast<std::uint64_t>(info.st_size);
  return fd;
}

/// A segment of a path that is no link, opened to go on from: -1 with errno.
UniqueFd OpenFolder(int parent, const std::string& segment) {
  UniqueFd folder(::openat(parent, segment.c_str(), O_PATH | O_NOFOLLOW | O_CLOEXEC));
  struct stat info{};
  if (!folder.valid() || ::fstat(folder.get(), &info) != 0) return UniqueFd();
  if (S_ISDIR(info.st_mode)) return folder;
  errno = S_ISLNK(info.st_mode) ? ELOOP : ENOTDIR;
  return UniqueFd();
}

/// What openat2 does, for kernels before 5.6 and sandboxes that do not let it pass: each folder is
/// opened by itself, so none on the way can be exchanged for a link once it has been looked at. -1
/// with errno.
UniqueFd WalkBeneath(int root, std::string_view relative) {
  UniqueFd folder;
  while (true) {
    const int parent = folder.valid() ? folder.get() : root;
    const std::size_t slash = relative.find('/');
    const std::string segment(relative.substr(0, slash));
    if (slash == std::string_view::npos) {
      return UniqueFd(
          ::openat(parent, segment.c_str(), O_RDONLY | O_NOFOLLOW | O_CLOEXEC | O_NONBLOCK));
    }
    folder = OpenFolder(parent, segment);
    if (!folder.valid()) return UniqueFd();
    relative.remove_prefix(slash + 1);
  }
}

/// The kernel resolves the whole path in one step, so no part of it can be exchanged for a link in
/// between. `relative` is safe. -1 with errno.
UniqueFd ResolveBeneath(int root, const std::string& relative) {
  open_how how{};
  how.flags = O_RDONLY | O_CLOEXEC | O_NONBLOCK;
  how.resolve = RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS | RESOLVE_NO_MAGICLINKS;
  const long fd = ::syscall(SYS_openat2, root, relative.c_str(), &how, sizeof how);
  if (fd >= 0) return UniqueFd(static_cast<int>(fd));
  // Old sandboxes answer EPERM to calls that they do not know.
  if (errno == ENOSYS || errno == EPERM) return WalkBeneath(root, relative);
  return UniqueFd();
}

}  // namespace

Status ErrnoStatus(int error, std::string_view what) {
  std::string message(what);
  message.append(": ").append(std::generic_category().message(error));
  return {ReasonOf(error), std::move(message)};
}

Status WriteAll(int fd, std::string_view bytes, std::string_view what) {
  while (!bytes.empty()) {
    const ssize_t written = ::write(fd, bytes.data(), bytes.size());
    if (written < 0 && errno == EINTR) continue;
    if (written < 0) return ErrnoStatus(errno, what);
    bytes.remove_prefix(static_cast<std::size_t>(written));
  }
  return OkStatus();
}

Result<std::string> ReadFile(const std::filesystem::path& path, std::uint64_t size_bytes_max) {
  std::uint64_t size_bytes = 0;
  const UniqueFd fd = MLOS_TRY(OpenRegular(path, size_bytes));
  const std::string name = path.filename().string();
  if (size_bytes > size_bytes_max) {
    return Status(Reason::kPayloadTooLarge, name + " has " + std::to_string(size_bytes) +
                                                " bytes; at most " +
                                                std::to_string(size_bytes_max) + " are read");
  }
  std::string bytes(size_bytes, '\0');
  std::size_t filled = 0;
  while (filled < bytes.size()) {
    const ssize_t count = ::read(fd.get(), bytes.data() + filled, bytes.size() - filled);
    if (count < 0 && errno == EINTR) continue;
    if (count < 0) return ErrnoStatus(errno, "cannot read " + name);
    if (count == 0) break;
    filled += static_cast<std::size_t>(count);
  }
  bytes.resize(filled);
  return bytes;
}

Result<UniqueFd> CreateFile(const std::filesystem::path& path, unsigned mode,
                            const std::string& name) {
  // O_EXCL then refuses a name that somebody planted in between.
  ::unlink(path.c_str());
  UniqueFd fd(::open(path.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, mode));
  if (!fd.valid()) return ErrnoStatus(errno, "cannot create " + name);
  return fd;
}

Status WriteFileAtomic(const std::filesystem::path& path, std::string_view bytes, unsigned mode) {
  const std::string name = path.filename().string();
  // In the same folder, because rename works only within one file system.
  const std::string temporary = path.string() + ".tmp." + std::to_string(::getpid());
  Status written = WriteTemporary(temporary, bytes, mode, name);
  if (written.ok() && ::rename(temporary.c_str(), path.c_str()) != 0) {
    written = ErrnoStatus(errno, "cannot replace " + name);
  }
  if (!written.ok()) {
    ::unlink(temporary.c_str());
    return written;
  }
  // Without this, a power cut could bring the old file back.
  return FsyncDirectory(path.has_parent_path() ? path.parent_path() : ".");
}

Status FsyncDirectory(const std::filesystem::path& directory) {
  return FsyncPath(directory, O_DIRECTORY);
}

Status FsyncFile(const std::filesystem::path& path) { return FsyncPath(path, O_NOFOLLOW); }

Status CreateDirectories(const std::filesystem::path& directory, unsigned mode) {
  struct stat info{};
  if (directory.empty()) return OkStatus();
  if (::stat(directory.c_str(), &info) == 0) {
    if (S_ISDIR(info.st_mode)) return OkStatus();
    return ErrnoStatus(EEXIST, directory.filename().string() + " is not a folder");
  }
  const std::filesystem::path parent = directory.parent_path();
  if (parent != directory) MLOS_TRY(CreateDirectories(parent, mode));
  // EEXIST: another process made it in the meantime.
  if (::mkdir(directory.c_str(), mode) != 0 && errno != EEXIST) {
    return ErrnoStatus(errno, "cannot create folder '" + directory.filename().string() + "'");
  }
  return parent.empty() || parent == directory ? OkStatus() : FsyncDirectory(parent);
}

Status CheckOwnFolder(const std::filesystem::path& directory) {
  struct stat info{};
  if (::stat(directory.c_str(), &info) != 0) return ErrnoStatus(errno, "cannot look at the folder");
  if (info.st_uid != ::geteuid()) {
    return {Reason::kPermissionDenied, "the folder belongs to another user"};
  }
  if ((info.st_mode & (S_IWGRP | S_IWOTH)) != 0) {
    return {Reason::kPermissionDenied, "others may write in the folder (chmod go-w)"};
  }
  return OkStatus();
}

std::optional<std::filesystem::path> HomeFolder() {
  constexpr std::size_t kEntryBytesMax = 16384;
  const char* const named = std::getenv("HOME");
  std::filesystem::path home = named == nullptr ? "" : named;
  if (home.is_absolute()) return home;
  std::string buffer(kEntryBytesMax, '\0');
  passwd entry{};
  passwd* found = nullptr;
  ::getpwuid_r(::geteuid(), &entry, buffer.data(), buffer.size(), &found);
  home = found == nullptr || found->pw_dir == nullptr ? "" : found->pw_dir;
  return home.is_absolute() ? std::optional(std::move(home)) : std::nullopt;
}

Result<UniqueFd> OpenBeneath(const std::filesystem::path& directory, std::string_view relative) {
  const std::string name(relative);
  if (!IsSafeRelativePath(relative)) {
    return Status(Reason::kUnsafePath, "'" + name + "' is not a plain relative path");
  }
  const UniqueFd root(::open(directory.c_str(), O_PATH | O_DIRECTORY | O_CLOEXEC));
  if (!root.valid()) return ErrnoStatus(errno, "cannot open the folder of " + name);
  UniqueFd fd = ResolveBeneath(root.get(), name);
  if (fd.valid()) return fd;
  if (errno == EXDEV || errno == ELOOP) {
    return Status(Reason::kUnsafePath, "'" + name + "' leads through a symbolic link or outside");
  }
  return ErrnoStatus(errno, "cannot open " + name);
}

bool IsSafeRelativePath(std::string_view path) {
  constexpr std::size_t kPathBytesMax = 1024;
  if (path.empty() || path.size() > kPathBytesMax || path.front() == '/') return false;
  const bool plain = std::all_of(path.begin(), path.end(), [](char c) {
    return static_cast<unsigned char>(c) >= 0x20 && c != '\\' && c != 0x7f;
  });
  if (!plain) return false;
  while (true) {
    const std::size_t slash = path.find('/');
    const std::string_view segment = path.substr(0, slash);
    if (segment.empty() || segment == "." || segment == "..") return false;
    if (slash == std::string_view::npos) return true;
    path.remove_prefix(slash + 1);
  }
}

Result<std::uint64_t> FileSize(const std::filesystem::path& path) {
  std::uint64_t size_bytes = 0;
  MLOS_TRY(OpenRegular(path, size_bytes));
  return size_bytes;
}

Result<std::uint64_t> FreeDiskBytes(const std::filesystem::path& path) {
  struct statvfs info{};
  if (::statvfs(path.c_str(), &info) != 0) return ErrnoStatus(errno, "cannot ask for free space");
  return static_cast<std::uint64_t>(info.f_bavail) * info.f_frsize;
}

Result<FileLock> FileLock::Open(const std::filesystem::path& path, int operation) {
  const std::string name = path.filename().string();
  UniqueFd fd(::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0644));
  if (!fd.valid()) return ErrnoStatus(errno, "cannot open " + name);
  // The kernel releases a flock when the process ends, however it ends: no stale lock stays behind.
  while (::flock(fd.get(), operation) != 0) {
    if (errno == EINTR) continue;
    if (errno == EWOULDBLOCK) return Status(Reason::kStateLocked, "another process holds " + name);
    return ErrnoStatus(errno, "cannot lock " + name);
  }
  return FileLock(std::move(fd));
}

Result<FileLock> FileLock::TryAcquire(const std::filesystem::path& path) {
  return Open(path, LOCK_EX | LOCK_NB);
}

Result<FileLock> FileLock::Acquire(const std::filesystem::path& path) {
  return Open(path, LOCK_EX);
}

}  // namespace mlos
