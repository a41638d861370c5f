// SPDX-License-Identifier: MIT
#pragma once

#include <atomic>
#include <cstdint>
#include <optional>

#include "api/ipc/server_options.h"
#include "base/mutex.h"
#include "resource/shares.h"

namespace mlos::api::ipc {

/// Places that users share by the ShareRule. Thread-safe.
class UserShares {
 public:
  explicit UserShares(std::uint64_t limit) : shares_(limit) {}

  /// Takes one, unless `uid` has its share.
  bool Take(std::uint32_t uid) {
    const MutexLock lock(mutex_);
    if (!shares_.HasRoomFor(uid)) return false;
    shares_.Take(uid);
    return true;
  }
  /// Takes one beyond the limit, up to an eighth: another is about to be given back.
  bool TakeAhead(std::uint32_t uid) {
    const MutexLock lock(mutex_);
    if (!shares_.rule().AllowsAhead(shares_.total() + 1)) return false;
    shares_.Take(uid);
    return true;
  }
  void Give(std::uint32_t uid) {
    const MutexLock lock(mutex_);
    shares_.Give(uid);
  }

  std::uint64_t total() const {
    const MutexLock lock(mutex_);
    return shares_.total();
  }
  /// Whether one more would exceed the half of `uid`.
  bool at_half(std::uint32_t uid) const {
    const MutexLock lock(mutex_);
    return shares_.held_by(uid) >= shares_.rule().half();
  }
  std::optional<std::uint32_t> over_half() const {
    const MutexLock lock(mutex_);
    return shares_.over_half();
  }
  std::optional<std::uint32_t> largest() const {
    const MutexLock lock(mutex_);
    return shares_.largest();
  }

 private:
  mutable Mutex mutex_;
  resource::Shares<std::uint32_t> shares_ GUARDED_BY(mutex_);
};

/// What all sessions have, which is bounded. Thread-safe.
struct Totals {
  explicit Totals(const ServerOptions& options)
      : connections(options.connections_max),
        rings(options.rings_max),
        regions(options.all_regions_max) {}

  UserShares connections;
  UserShares rings;
  UserShares regions;
  /// Threads that serve rings, which end by themselves soon after their sessions.
  std::atomic<std::uint32_t> ring_threads{0};
};

}  // namespace mlos::api::ipc
