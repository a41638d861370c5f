// SPDX-License-Identifier: MIT
#include "axon/store/objects.h"

#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>

#include "base/files.h"

namespace axon::store {
namespace {

namespace fs = std::filesystem;
using mlos::ErrnoStatus;
using mlos::Reason;
using mlos::Status;
using mlos::package::Digest;
using mlos::package::HashProgress;

/// Makes `to` another name of `from`, or a synced copy if the file system has no hard links. After
/// a failure `to` does not exist.
Status LinkOrCopy(const fs::path& from, const fs::path& to) {
  if (::link(from.c_str(), to.c_str()) == 0) return mlos::OkStatus();
  const int error = errno;
  const std::string name = to.filename().string();
  if (error != EPERM && error != EMLINK && error != EOPNOTSUPP && error != EXDEV) {
    return ErrnoStatus(error, "cannot link " + name);
  }
  std::error_code failure;
  fs::copy_file(from, to, failure);
  Status copied =
      failure ? ErrnoStatus(failure.value(), "cannot copy " + name) : mlos::FsyncFile(to);
  if (!copied.ok()) ::unlink(to.c_str());
  return copied;
}

/// Reads a file that was taken for `digest`.
Status CheckBytes(const fs::path& file, const Digest& digest, const HashProgress& progress) {
  const auto found = mlos::package::DigestFile(file, progress);
  if (!found.ok() && found.status().reason() == Reason::kCancelled) return found.status();
  const std::string name = "the stored file " + digest.ToString();
  if (!found.ok()) {
    return {Reason::kStoreCorrupt,
            name + " cannot be used: " + std::string(found.status().message())};
  }
  if (found->sha256 != digest) return {Reason::kStoreCorrupt, name + " has changed on disk"};
  return mlos::OkStatus();
}

}  // namespace

bool Objects::Has(const Digest& digest, std::uint64_t size_bytes) const {
  struct stat info{};
  return ::lstat(layout_.Object(digest).c_str(), &info) == 0 && S_ISREG(info.st_mode) &&
         static_cast<std::uint64_t>(info.st_size) == size_bytes;
}

Status Objects::LinkTo(const Digest& digest, const fs::path& to,
                       const HashProgress& progress) const {
  MLOS_TRY(mlos::CreateDirectories(to.parent_path()));
  MLOS_TRY(LinkOrCopy(layout_.Object(digest), to));
  // The link is read, not the object: another process may replace that one meanwhile.
  Status intact = CheckBytes(to, digest, progress);
  if (!intact.ok()) ::unlink(to.c_str());
  return intact;
}

Status Objects::Adopt(const fs::path& file, const Digest& digest, const fs::path& to,
                      const HashProgress& progress) const {
  Status linked = LinkTo(digest, to, progress);
  if (linked.ok()) {
    ::unlink(file.c_str());
    return linked;
  }
  return linked.reason() == Reason::kCancelled ? linked : Place(file, digest, to);
}

Status Objects::Place(const fs::path& file, const Digest& digest, const fs::path& to) const {
  const fs::path object = layout_.Object(digest);
  MLOS_TRY(mlos::CreateDirectories(object.parent_path()));
  // Under the lock, so that no other process removes an object between its arrival and its first
  // use.
  const auto lock = MLOS_TRY(mlos::FileLock::Acquire(layout_.lock()));
  if (::rename(file.c_str(), object.c_str()) != 0) {
    return ErrnoStatus(errno, "cannot store " + to.filename().string());
  }
  // Not earlier, because the next process must be able to write to the part of a dead one.
  if (::chmod(object.c_str(), 0444) != 0) return ErrnoStatus(errno, "cannot protect an object");
  MLOS_TRY(mlos::FsyncDirectory(object.parent_path()));
  return LinkOrCopy(object, to);
}

}  // namespace axon::store
