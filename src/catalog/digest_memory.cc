// SPDX-License-Identifier: MIT
#include "catalog/digest_memory.h"

#include <fcntl.h>
#include <linux/magic.h>
#include <sys/stat.h>
#include <sys/vfs.h>

#include <algorithm>
#include <array>
#include <ctime>
#include <utility>
#include <vector>

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

/// Nothing if it is not an open regular file.
std::optional<FileState> StateOf(int fd) {
  struct stat file{};
  if (::fstat(fd, &file) != 0 || !S_ISREG(file.st_mode)) return std::nullopt;
  return FileState{.device = file.st_dev,
                   .inode = file.st_ino,
                   .modified = Nanoseconds(file.st_mtim),
                   .changed = Nanoseconds(file.st_ctim),
                   .size_bytes = static_cast<std::uint64_t>(file.st_size)};
}

}  // namespace

DigestMemory::DigestMemory(std::filesystem::path log, std::chrono::nanoseconds settled,
                           std::size_t files_max)
    : settled_(settled), files_max_(files_max) {
  const MutexLock lock(mutex_);
  std::vector<KnownDigest> earlier;
  log_.emplace(std::move(log), earlier);
  // The latest of each file, and of files.
  for (auto known = earlier.rbegin(); known != earlier.rend(); ++known) {
    if (known_.size() < files_max_) known_.emplace(KeyOf(known->state), Known{*known, true});
  }
}

std::optional<package::FileDigest> DigestMemory::Recall(int fd) const {
  const std::optional<FileState> state = StateOf(fd);
  if (!state) return std::nullopt;
  const MutexLock lock(mutex_);
  const auto found = known_.find(KeyOf(*state));
  if (found == known_.end() || found->second.digest.state != *state) return std::nullopt;
  return package::FileDigest{found->second.digest.sha256, state->size_bytes};
}

Result<package::FileDigest> DigestMemory::Hash(int fd, std::string_view name) {
  const std::int64_t start = Now();
  const std::optional<FileState> before = StateOf(fd);
  const bool settled = before && before->changed < start - settled_.count() &&
                       HasTrueChangeTimes(fd) && ProtectMappedPages(fd);
  const package::FileDigest digest = MLOS_TRY(package::DigestOpenFile(fd, name));
  const std::optional<FileState> after = StateOf(fd);
  const MutexLock lock(mutex_);
  if (settled && after == before && digest.size_bytes == before->size_bytes) {
    Insert({*before, digest.sha256}, true);
  } else if (after) {
    known_.erase(KeyOf(*after));
  }
  return digest;
}

void DigestMemory::Remember(int fd, const package::FileDigest& digest) {
  const std::optional<FileState> state = StateOf(fd);
  if (!state) return;
  const bool lasting = HasTrueChangeTimes(fd);
  const MutexLock lock(mutex_);
  Insert({*state, digest.sha256}, lasting);
}

void DigestMemory::Insert(const KnownDigest& known, bool lasting) {
  // Not worth an order of age: what is forgotten is hashed once more.
  if (known_.size() >= files_max_) known_.clear();
  known_.insert_or_assign(KeyOf(known.state), Known{known, lasting});
  if (!lasting) return;
  log_->Append(known);
  if (log_->lines() > 2 * files_max_) ShortenLog();
}

void DigestMemory::ShortenLog() {
  std::vector<KnownDigest> lasting;
  for (const auto& [key, known] : known_) {
    if (known.lasting) lasting.push_back(known.digest);
  }
  log_->Rewrite(lasting);
}

Result<package::FileDigest> DigestMemory::RecallOrHash(int fd, std::string_view name) {
  if (const auto known = Recall(fd)) return *known;
  return Hash(fd, name);
}

}  // namespace mlos::catalog
