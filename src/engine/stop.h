// SPDX-License-Identifier: MIT
#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <utility>

#include "base/mutex.h"

namespace mlos::engine {

/// Tells a run to stop: its time is over, or nobody waits for it any more. The engine looks at the
/// word while it runs, or is told by its watcher. Thread-safe.
class Stop {
 public:
  Stop() = default;
  Stop(const Stop&) = delete;
  Stop& operator=(const Stop&) = delete;

  bool requested() const { return word_.load(std::memory_order_acquire) != 0; }
  /// 0, and then 1 for good: for plugins, which read it as a plain uint32_t.
  const std::uint32_t* word() const {
    static_assert(sizeof(word_) == sizeof(std::uint32_t) &&
                  std::atomic<std::uint32_t>::is_always_lock_free);
    return reinterpret_cast<const std::uint32_t*>(&word_);
  }

  /// Tells the run, once; what comes later changes nothing.
  void Request() {
    const MutexLock lock(mutex_);
    if (word_.exchange(1, std::memory_order_acq_rel) == 0 && watcher_) watcher_();
  }

  /// Calls `watcher` on Request, or at once if that has been; until Forget. It is quick and does
  /// not call back into the stop. One at a time.
  void Watch(std::function<void()> watcher) {
    const MutexLock lock(mutex_);
    watcher_ = std::move(watcher);
    if (requested()) watcher_();
  }
  /// The watcher does not run any more when this returns.
  void Forget() {
    const MutexLock lock(mutex_);
    watcher_ = nullptr;
  }

 private:
  std::atomic<std::uint32_t> word_{0};
  Mutex mutex_;
  std::function<void()> watcher_ GUARDED_BY(mutex_);
};

}  // namespace mlos::engine
