// SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <utility>

#include "base/mutex.h"

namespace mlos::engine {

/// How many bytes of answers a caller may leave unread. The door that encodes the answers holds
/// their bytes and releases them as the caller takes them; the engine that makes the answers looks
/// at `has_room` and pauses while there is none. So a slow reader costs memory up to its credit,
/// and no thread. One credit may serve several requests of a connection. Thread-safe.
class Credit {
 public:
  /// An answer that goes beyond it is still taken.
  static constexpr std::int64_t kBytesMax = 1 << 20;
  /// An engine that goes on without room is ended here.
  static constexpr std::int64_t kBytesEnd = 4 * kBytesMax;

  Credit() = default;
  Credit(const Credit&) = delete;
  Credit& operator=(const Credit&) = delete;

  bool has_room() const {
    const MutexLock lock(mutex_);
    return held_ < kBytesMax;
  }
  /// True if so much waits that the engine must have gone on without room.
  bool exceeded() const {
    const MutexLock lock(mutex_);
    return held_ >= kBytesEnd;
  }

  /// So many bytes wait for the caller.
  void Hold(std::int64_t bytes) {
    const MutexLock lock(mutex_);
    held_ += bytes;
  }
  /// The caller has taken so many. Tells those who watch if there is room again.
  void Release(std::int64_t bytes) {
    const MutexLock lock(mutex_);
    const bool had_room = held_ < kBytesMax;
    held_ -= bytes;
    if (had_room || held_ >= kBytesMax) return;
    for (const auto& [who, on_room] : watchers_) on_room();
  }

  /// Calls `on_room` whenever there is room again, on the thread that released it, until Forget.
  /// `on_room` is quick and does not call back into the credit. `who` is the key of the two calls.
  void Watch(const void* who, std::function<void()> on_room) {
    const MutexLock lock(mutex_);
    watchers_[who] = std::move(on_room);
  }
  /// `on_room` does not run any more when this returns.
  void Forget(const void* who) {
    const MutexLock lock(mutex_);
    watchers_.erase(who);
  }

 private:
  mutable Mutex mutex_;
  std::int64_t held_ GUARDED_BY(mutex_) = 0;
  std::map<const void*, std::function<void()>> watchers_ GUARDED_BY(mutex_);
};

}  // namespace mlos::engine
