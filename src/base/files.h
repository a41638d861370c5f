// SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <optional>
#include <string>
#include <string_view>

#include "base/result.h"
#include "base/status.h"
#include "base/unique_fd.h"

namespace mlos {

/// The failure of a system call on a file, with the right reason: ENOENT is FILE_NOT_FOUND, EACCES
/// PERMISSION_DENIED, ENOSPC and EDQUOT DISK_FULL, anything else IO_ERROR. `what` names the action
/// and the file as the caller knows it ("cannot write manifest.yaml").
Status ErrnoStatus(int error, std::string_view what);

/// Reads a whole regular file. A file above `size_bytes_max` is PAYLOAD_TOO_LARGE before a byte is
/// read; a directory, device or pipe is INVALID_FIELD.
Result<std::string> ReadFile(const std::filesystem::path& path, std::uint64_t size_bytes_max);

/// Writes all bytes. After a failure some of them may be written; `what` is as for ErrnoStatus.
Status WriteAll(int fd, std::string_view bytes, std::string_view what);

/// A new, empty file for writing, which messages call `name`. An existing file at `path` is removed
/// first, never written to: in a folder that others may write to, somebody could have planted a
/// link there.
Result<UniqueFd> CreateFile(const std::filesystem::path& path, unsigned mode,
                            const std::string& name);

/// Replaces `path` so that readers see the old bytes or the new ones, never a mixture, and the new
/// ones survive a power cut once this returns: temporary file, fsync, rename, fsync of the folder.
Status WriteFileAtomic(const std::filesystem::path& path, std::string_view bytes,
                       unsigned mode = 0644);

/// Makes renames and creations in `directory` survive a power cut.
Status FsyncDirectory(const std::filesystem::path& directory);
Status FsyncFile(const std::filesystem::path& path);

/// Creates `directory` and its missing parents, and makes each of them durable.
Status CreateDirectories(const std::filesystem::path& directory, unsigned mode = 0755);

/// PERMISSION_DENIED if `directory` belongs to another user or others may write in it: what lies
/// there could be anybody's.
Status CheckOwnFolder(const std::filesystem::path& directory);

/// $HOME, else what the machine's users say; nothing if neither is an absolute path.
std::optional<std::filesystem::path> HomeFolder();

/// Opens `relative` for reading below `directory`: no absolute path, no `..` out of it, no symbolic
/// link anywhere on the way: by openat2, or segment by segment if the kernel does not let that
/// pass. UNSAFE_PATH otherwise.
Result<UniqueFd> OpenBeneath(const std::filesystem::path& directory, std::string_view relative);

/// Opens `relative` for reading below `directory`, by the rules of whoever gives it.
using FileOpener = std::function<Result<UniqueFd>(const std::filesystem::path& directory,
                                                  std::string_view relative)>;

/// True for a relative path of plain segments: no empty, `.` or `..` segment, no backslash, no NUL
/// and no control character, at most 1,024 bytes.
bool IsSafeRelativePath(std::string_view path);

/// Size of a regular file in bytes.
Result<std::uint64_t> FileSize(const std::filesystem::path& path);

/// Bytes that an unprivileged process may still write on the file system that holds `path`.
Result<std::uint64_t> FreeDiskBytes(const std::filesystem::path& path);

/// An exclusive lock on a file, held until destruction or death of the process (flock).
class FileLock {
 public:
  /// STATE_LOCKED if another process holds it.
  static Result<FileLock> TryAcquire(const std::filesystem::path& path);
  /// Waits for the lock.
  static Result<FileLock> Acquire(const std::filesystem::path& path);

 private:
  explicit FileLock(UniqueFd fd) : fd_(std::move(fd)) {}
  static Result<FileLock> Open(const std::filesystem::path& path, int operation);
  UniqueFd fd_;
};

}  // namespace mlos
