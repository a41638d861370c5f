// SPDX-License-Identifier: MIT
#include "api/ipc/socket/listening_socket.h"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>

#include <cerrno>
#include <cstring>
#include <filesystem>

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

/// Two Cores that start at once must not remove each other's sockets: the folder's is held
/// meanwhile.
Result<UniqueFd> LockFolder(const std::string& path) {
  const std::filesystem::path folder = std::filesystem::path(path).parent_path();
  UniqueFd lock(::open(folder.empty() ? "." : folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (!lock.valid()) return ErrnoStatus(errno, "cannot open the folder of the socket");
  if (::flock(lock.get(), LOCK_EX) != 0) {
    return ErrnoStatus(errno, "cannot lock the folder of the socket");
  }
  return lock;
}

/// Removes what a dead Core has left.
Status RemoveStale(const std::string& path, const sockaddr_un& address) {
  struct stat file{};
  if (::lstat(path.c_str(), &file) != 0) {
    return errno == ENOENT ? OkStatus() : ErrnoStatus(errno, "cannot look at the socket");
  }
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

}  // namespace

Result<ListeningSocket> ListeningSocket::Open(const std::string& path, std::uint32_t mode) {
  const sockaddr_un address = MLOS_TRY(AddressOf(path));
  const UniqueFd lock = MLOS_TRY(LockFolder(path));
  MLOS_TRY(RemoveStale(path, address));
  UniqueFd fd = MLOS_TRY(MakeSocket());
  // Nobody can connect before listen, so the mode is there in time whatever the umask was.
  if (::bind(fd.get(), reinterpret_cast<const sockaddr*>(&address), sizeof(address)) != 0) {
    return errno == EADDRINUSE ? InUse() : ErrnoStatus(errno, "cannot bind the socket");
  }
  ListeningSocket socket(path, std::move(fd));
  struct stat file{};
  if (::chmod(path.c_str(), mode) != 0 || ::lstat(path.c_str(), &file) != 0) {
    return ErrnoStatus(errno, "cannot set the mode of the socket");
  }
  socket.device_ = file.st_dev;
  socket.inode_ = file.st_ino;
  if (::listen(socket.fd_.get(), kBacklog) != 0) return ErrnoStatus(errno, "cannot listen");
  return socket;
}

void ListeningSocket::Remove() {
  const std::string path = std::exchange(path_, {});
  struct stat file{};
  if (path.empty() || ::lstat(path.c_str(), &file) != 0) return;
  if (file.st_dev == device_ && file.st_ino == inode_) ::unlink(path.c_str());
}

}  // namespace mlos::api::ipc::socket
