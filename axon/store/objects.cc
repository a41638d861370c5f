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

}  // namespace

Status LinkOrCopy(const fs::path& from, const fs::path& to) {
  if (::link(from.c_str(), to.c_str()) == 0) return mlos::OkStatus();
  const int error = errno;
  const std::string name = to.filename().string();
  if (error != EPERM && error != EMLINK && error != EOPNOTSUPP && error != EXDEV) {
    return ErrnoStatus(error, "cannot link " + name);
  }
  std::error_code failure;
  fs::copy_file(from, to, failure);
  if (failure) return ErrnoStatus(failure.value(), "cannot copy " + name);
  return mlos::FsyncFile(to);
}

bool Objects::Has(const Digest& digest, std::uint64_t size_bytes) const {
  struct stat info{};
  return ::lstat(layout_.Object(digest).c_str(), &info) == 0 && S_ISREG(info.st_mode) &&
         static_cast<std::uint64_t>(info.st_size) == size_bytes;
}

Status Objects::Check(const Digest& digest, const mlos::package::HashProgress& progress) const {
  const fs::path object = layout_.Object(digest);
  const auto found = mlos::package::DigestFile(object, progress);
  if (!found.ok()) return found.status();
  if (found->sha256 == digest) return mlos::OkStatus();
  const auto lock = MLOS_TRY(mlos::FileLock::Acquire(layout_.lock()));
  ::unlink(object.c_str());
  return {Reason::kChecksumMismatch,
          "the stored file " + digest.ToString() + " has changed on disk and is put aside"};
}

Status Objects::LinkTo(const Digest& digest, const fs::path& to) const {
  MLOS_TRY(mlos::CreateDirectories(to.parent_path()));
  return LinkOrCopy(layout_.Object(digest), to);
}

Status Objects::Adopt(const fs::path& file, const Digest& digest, const fs::path& to) const {
  const fs::path object = layout_.Object(digest);
  MLOS_TRY(mlos::CreateDirectories(object.parent_path()));
  MLOS_TRY(mlos::CreateDirectories(to.parent_path()));
  // Under the lock, so that nobody cleans away an object between its arrival and its first use.
  const auto lock = MLOS_TRY(mlos::FileLock::Acquire(layout_.lock()));
  struct stat info{};
  if (::lstat(object.c_str(), &info) != 0) {
    if (::rename(file.c_str(), object.c_str()) != 0) {
      return ErrnoStatus(errno, "cannot store " + to.filename().string());
    }
    if (::chmod(object.c_str(), 0444) != 0) return ErrnoStatus(errno, "cannot protect an object");
    MLOS_TRY(mlos::FsyncDirectory(object.parent_path()));
  } else {
    ::unlink(file.c_str());
  }
  return LinkOrCopy(object, to);
}

}  // namespace axon::store
