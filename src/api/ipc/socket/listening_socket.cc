// SPDX-License-Identifier: MIT
#include "api/ipc/socket/listening_socket.h"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>

#include <cerrno>
#include <cstring>

#include "base/files.h"

namespace mlos::api::ipc::socket {
namespace {

constexpr int kBacklog = 1024;

Status Unusable(std::string_view what) {
  return Status(Reason::kInvalidConfig, std::string(what)).WithField("socket");
}

Status InUse() {
  return Status(Reason::kAddressInUse, "another process listens on this socket")
      .WithField("socket");
}

std::string LockOf(const std::string& path) { return path + ".lock"; }

Result<sockaddr_un> AddressOf(const std::string& path) {
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  if (path.empty() || path.size() >= sizeof(address.sun_path)) {
    return Unusable("the path of a socket has 1 to " +
                    std::to_string(sizeof(address.sun_path) - 1) + " bytes");
  }
  std::memcpy(address.sun_path, path.data(), path.size());
  return address;
}

Result<UniqueFd> MakeSocket() {
  UniqueFd fd(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
  if (!fd.valid()) return ErrnoStatus(errno, "cannot make a Unix socket");
  return fd;
}

bool IsOwn(const struct stat& file) { return file.st_uid == ::geteuid(); }

Status OfAnotherUser(std::string_view what) {
  return Unusable(std::string(what) + " belongs to another user");
}

/// Locks `name` at once or not at all. No descriptor: its Core ended meanwhile and removed it.
Result<UniqueFd> TryLock(const std::string& name) {
  // Nobody else may open it, because whoever can may also lock it.
  constexpr int kFlags = O_RDWR | O_CREAT | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC;
  UniqueFd lock(::open(name.c_str(), kFlags, S_IRUSR | S_IWUSR));
  struct stat locked{};
  if (!lock.valid() || ::fstat(lock.get(), &locked) != 0) {
    return ErrnoStatus(errno, "cannot open the lock beside the socket");
  }
  if (!S_ISREG(locked.st_mode) || !IsOwn(locked)) return OfAnotherUser("the lock beside it");
  if (::flock(lock.get(), LOCK_EX | LOCK_NB) != 0) {
    return errno == EWOULDBLOCK ? InUse() : ErrnoStatus(errno, "cannot lock the socket");
  }
  struct stat named{};
  const bool same = ::lstat(name.c_str(), &named) == 0 && named.st_dev == locked.st_dev &&
                    named.st_ino == locked.st_ino;
  return same ? std::move(lock) : UniqueFd();
}

/// Holds `path`.lock, so that two Cores never remove each other's sockets. The folder itself is not
/// locked, because everyone who may read a folder may lock it.
Result<UniqueFd> Lock(const std::string& path) {
  constexpr int kTries = 8;
  for (int i = 0; i < kTries; ++i) {
    UniqueFd lock = MLOS_TRY(TryLock(LockOf(path)));
    if (lock.valid()) return lock;
  }
  return InUse();
}

/// Removes the socket that a dead Core of the same user has left, and nothing else.
Status RemoveStale(const std::string& path, const sockaddr_un& address) {
  struct stat file{};
  if (::lstat(path.c_str(), &file) != 0) {
    return errno == ENOENT ? OkStatus() : ErrnoStatus(errno, "cannot look at the socket");
  }
  if (!IsOwn(file)) return OfAnotherUser("something at this path");
  if (!S_ISSOCK(file.st_mode)) return Unusable("there is a file at this path that is no socket");
  const UniqueFd probe = MLOS_TRY(MakeSocket());
  if (::connect(probe.get(), reinterpret_cast<const sockaddr*>(&address), sizeof(address)) == 0) {
    return InUse();
  }
  // A full backlog (EAGAIN) is somebody's too.
  if (errno != ECONNREFUSED) return errno == EAGAIN ? InUse() : ErrnoStatus(errno, "cannot use it");
  if (::unlink(path.c_str()) != 0) return ErrnoStatus(errno, "cannot remove the old socket");
  return OkStatus();
}

/// Sets the mode of the socket that was made at `path`, and tells which file it is.
Status SetMode(const std::string& path, std::uint32_t mode, struct stat& file) {
  // By descriptor, because the name may lead elsewhere by now if others may write in the folder.
  const UniqueFd fd(::open(path.c_str(), O_PATH | O_NOFOLLOW | O_CLOEXEC));
  if (!fd.valid() || ::fstat(fd.get(), &file) != 0) {
    return ErrnoStatus(errno, "cannot look at the socket");
  }
  if (!S_ISSOCK(file.st_mode) || !IsOwn(file)) return OfAnotherUser("something at this path");
  const std::string opened = "/proc/self/fd/" + std::to_string(fd.get());
  if (::chmod(opened.c_str(), mode) == 0) return OkStatus();
  return ErrnoStatus(errno, "cannot set the mode of the socket");
}

}  // namespace

Result<ListeningSocket> ListeningSocket::Open(const std::string& path, std::uint32_t mode) {
  const sockaddr_un address = MLOS_TRY(AddressOf(path));
  UniqueFd lock = MLOS_TRY(Lock(path));
  ListeningSocket socket(path, std::move(lock));
  MLOS_TRY(RemoveStale(path, address));
  socket.fd_ = MLOS_TRY(MakeSocket());
  const int fd = socket.fd_.get();
  if (::bind(fd, reinterpret_cast<const sockaddr*>(&address), sizeof(address)) != 0) {
    return errno == EADDRINUSE ? InUse() : ErrnoStatus(errno, "cannot bind the socket");
  }
  // Nobody can connect before listen, so the mode is there in time whatever the umask was.
  struct stat file{};
  MLOS_TRY(SetMode(path, mode, file));
  socket.device_ = file.st_dev;
  socket.inode_ = file.st_ino;
  if (::listen(fd, kBacklog) != 0) return ErrnoStatus(errno, "cannot listen");
  return socket;
}

void ListeningSocket::Remove() {
  const std::string path = std::exchange(path_, {});
  if (path.empty()) return;
  struct stat file{};
  if (inode_ != 0 && ::lstat(path.c_str(), &file) == 0 && file.st_dev == device_ &&
      file.st_ino == inode_) {
    ::unlink(path.c_str());
  }
  // Last: whoever gets the lock finds no socket, or one that is not this one.
  ::unlink(LockOf(path).c_str());
  lock_ = UniqueFd();
}

}  // namespace mlos::api::ipc::socket
