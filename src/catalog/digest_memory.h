// SPDX-License-Identifier: MIT
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <optional>
#include <string_view>
#include <unordered_map>

#include "base/mutex.h"
#include "base/result.h"
#include "catalog/digest_log.h"
#include "package/digest.h"

namespace mlos::catalog {

/// The digests of files, for as long as the file system says that nobody changed them: a file of
/// the same device, inode, size, modification and change time is the one that was hashed. Only the
/// kernel sets the change time, and it does so at every write, whoever sets the modification time
/// back.
///
/// What could have changed unseen is not remembered: a file that was changed so shortly before it
/// was hashed that another change might have had the same time (as git treats its index), and any
/// file on another file system than ext4, xfs, btrfs and f2fs, which set that time for stores to
/// mapped memory too.
///
/// What is remembered outlives the process, in a DigestLog, until the machine's next boot. Bounded.
/// Thread-safe.
class DigestMemory {
 public:
  /// `log` is the file that outlives the process; without one nothing does. `settled` is how old a
  /// change has to be; shorter for tests only.
  explicit DigestMemory(std::filesystem::path log = {},
                        std::chrono::nanoseconds settled = std::chrono::seconds(2),
                        std::size_t files_max = 16'384);

  /// The digest of an open regular file, if it is remembered and the file unchanged.
  std::optional<package::FileDigest> Recall(int fd) const;
  /// As DigestOpenFile, always from the file's bytes, which is then remembered where that is sound.
  Result<package::FileDigest> Hash(int fd, std::string_view name);

  /// Keeps the digest of a file that nobody but Core can have changed.
  void Remember(int fd, const package::FileDigest& digest);

  /// What is remembered, else what Hash finds.
  Result<package::FileDigest> RecallOrHash(int fd, std::string_view name);

 private:
  struct Key {
    std::uint64_t device;
    std::uint64_t inode;
    bool operator==(const Key&) const = default;
  };
  struct KeyHash {
    std::size_t operator()(const Key& key) const {
      return std::hash<std::uint64_t>()(key.inode * 31 + key.device);
    }
  };

  struct Known {
    KnownDigest digest;
    bool lasting = false;
  };

  static Key KeyOf(const FileState& state) { return {state.device, state.inode}; }
  /// `lasting`: also for the next process.
  void Insert(const KnownDigest& known, bool lasting) REQUIRES(mutex_);
  void ShortenLog() REQUIRES(mutex_);

  const std::chrono::nanoseconds settled_;
  const std::size_t files_max_;
  mutable Mutex mutex_;
  std::unordered_map<Key, Known, KeyHash> known_ GUARDED_BY(mutex_);
  std::optional<DigestLog> log_ GUARDED_BY(mutex_);
};

}  // namespace mlos::catalog
