// SPDX-License-Identifier: MIT
#include "axon/store/install_lock.h"

#include <fcntl.h>

#include <cerrno>
#include <cstring>
#include <utility>

#include "base/files.h"

namespace axon::store {
namespace {

using mlos::ErrnoStatus;
using mlos::Reason;
using mlos::Result;
using mlos::Status;

/// One byte of the file stands for a model: a file for each would have to be removed some time.
off_t ByteOf(const mlos::ModelId& id) {
  const auto digest = mlos::package::DigestOf(id.text());
  std::uint64_t number = 0;
  std::memcpy(&number, digest.bytes().data(), sizeof(number));
  return static_cast<off_t>(number >> 2);
}

}  // namespace

Result<InstallLock> InstallLock::TryAcquire(const Layout& layout, const mlos::ModelId& id) {
  MLOS_TRY(mlos::CreateDirectories(layout.root));
  mlos::UniqueFd fd(
      ::open(layout.install_lock().c_str(), O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0644));
  if (!fd.valid()) return ErrnoStatus(errno, "cannot open the lock of installations");
  struct flock range{};
  range.l_type = F_WRLCK;
  range.l_whence = SEEK_SET;
  range.l_start = ByteOf(id);
  range.l_len = 1;
  while (::fcntl(fd.get(), F_OFD_SETLK, &range) != 0) {
    if (errno == EINTR) continue;
    if (errno == EAGAIN || errno == EACCES) {
      return Status(Reason::kStateLocked, "another axon is installing " + id.text());
    }
    return ErrnoStatus(errno, "cannot lock the installation of " + id.text());
  }
  return InstallLock(std::move(fd));
}

}  // namespace axon::store
