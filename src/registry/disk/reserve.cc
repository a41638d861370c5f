// SPDX-License-Identifier: MIT
#include "registry/disk/reserve.h"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>

#include "base/files.h"
#include "base/log.h"

namespace mlos::registry::disk {
namespace {

// A removal writes a few pages of 4 KiB to the log of each file. Before it, a log's content moves
// into its file, which then grows by what was registered since the last time: far less than this.
constexpr off_t kReserveBytes = 512 << 10;
constexpr unsigned kReserveMode = 0600;

Status Allocate(const std::filesystem::path& path) {
  const UniqueFd fd(
      ::open(path.c_str(), O_WRONLY | O_CREAT | O_CLOEXEC | O_NOFOLLOW, kReserveMode));
  if (!fd.valid()) return ErrnoStatus(errno, "cannot make the registry's reserve");
  const int error = ::posix_fallocate(fd.get(), 0, kReserveBytes);
  return error == 0 ? OkStatus() : ErrnoStatus(error, "cannot keep space in reserve");
}

}  // namespace

Status Reserve::Take() {
  if (held_) return OkStatus();
  Status allocated = Allocate(path_);
  held_ = allocated.ok();
  if (held_) return OkStatus();
  ::unlink(path_.c_str());
  if (allocated.reason() == Reason::kDiskFull) {
    return {Reason::kDiskFull,
            "the disk with the registry is full but for the space that removing needs; nothing was "
            "changed"};
  }
  Log(LogLevel::kWarning, "no space kept in reserve for removing models", {LogField(allocated)});
  return OkStatus();
}

void Reserve::Release() {
  held_ = false;
  ::unlink(path_.c_str());
}

}  // namespace mlos::registry::disk
