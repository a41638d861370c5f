// SPDX-License-Identifier: MIT
#include "catalog/digest_memory.h"

#include <fcntl.h>
#include <linux/magic.h>
#include <sys/vfs.h>

#include <algorithm>
#include <array>
#include <ctime>

namespace mlos::catalog {
namespace {

constexpr std::int64_t kSecond = 1'000'000'000;

std::int64_t Nanoseconds(const timespec& time) { return time.tv_sec * kSecond + time.tv_nsec; }

std::int64_t Now() {
  timespec now{};
  ::clock_gettime(CLOCK_REALTIME, &now);
  return Nanoseconds(now);
}

/// True where the change time of a file is set by this kernel, also for a store to mapped memory.
bool HasTrueChangeTimes(int fd) {
  constexpr std::array<std::int64_t, 4> kTrue = {EXT4_SUPER_MAGIC, XFS_SUPER_MAGIC,
                                                 BTRFS_SUPER_MAGIC, F2FS_SUPER_MAGIC};
  struct statfs system{};
  if (::fstatfs(fd, &system) != 0) return false;
  return std::find(kTrue.begin(), kTrue.end(), system.f_type) != kTrue.end();
}

/// Begins to write back what was stored to mapped memory. Until then, a page may be stored to again
/// without a new change time.
bool ProtectMappedPages(int fd) {
  return ::sync_file_range(fd, 0, 0, SYNC_FILE_RANGE_WAIT_BEFORE | SYNC_FILE_RANGE_WRITE) == 0;
}

}  // namespace

DigestMemory::Times DigestMemory::TimesOf(const struct stat& file) {
  return {Nanoseconds(file.st_mtim), Nanoseconds(file.st_ctim)};
}

std::optional<package::FileDigest> DigestMemory::Recall(int fd) const {
  struct stat file{};
  if (::fstat(fd, &file) != 0 || !S_ISREG(file.st_mode)) return std::nullopt;
  const MutexLock lock(mutex_);
  const auto found = known_.find({file.st_dev, file.st_ino});
  if (found == known_.end()) return std::nullopt;
  const Known& known = found->second;
  const bool same = known.times == TimesOf(file) &&
                    known.digest.size_bytes == static_cast<std::uint64_t>(file.st_size);
  return same ? std::optional(known.digest) : std::nullopt;
}

Result<package::FileDigest> DigestMemory::Hash(int fd, std::string_view name) {
  struct stat before{};
  const std::int64_t start = Now();
  const bool settled = ::fstat(fd, &before) == 0 &&
                       TimesOf(before).changed < start - settled_.count() &&
                       HasTrueChangeTimes(fd) && ProtectMappedPages(fd);
  const package::FileDigest digest = MLOS_TRY(package::DigestOpenFile(fd, name));
  struct stat after{};
  const bool unchanged = ::fstat(fd, &after) == 0 && TimesOf(after) == TimesOf(before) &&
                         digest.size_bytes == static_cast<std::uint64_t>(after.st_size);
  const MutexLock lock(mutex_);
  if (!settled || !unchanged) {
    known_.erase({after.st_dev, after.st_ino});
    return digest;
  }
  Insert(after, digest);
  return digest;
}

void DigestMemory::Remember(int fd, const package::FileDigest& digest) {
  struct stat file{};
  if (::fstat(fd, &file) != 0) return;
  const MutexLock lock(mutex_);
  Insert(file, digest);
}

void DigestMemory::Insert(const struct stat& file, const package::FileDigest& digest) {
  // Not worth an order of age: what is forgotten is hashed once more.
  if (known_.size() >= files_max_) known_.clear();
  known_.insert_or_assign({file.st_dev, file.st_ino}, Known{TimesOf(file), digest});
}

Result<package::FileDigest> DigestMemory::RecallOrHash(int fd, std::string_view name) {
  if (const auto known = Recall(fd)) return *known;
  return Hash(fd, name);
}

}  // namespace mlos::catalog
