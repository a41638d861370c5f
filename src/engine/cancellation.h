// SPDX-License-Identifier: MIT
#pragma once

#include <atomic>
#include <functional>
#include <map>
#include <utility>

#include "base/mutex.h"

namespace mlos::engine {

/// Says that nobody waits for an answer any more: set by the door whose caller went away, looked at
/// or watched by those who work for it. Shared by all of them; thread-safe.
class Cancellation {
 public:
  Cancellation() = default;
  Cancellation(const Cancellation&) = delete;
  Cancellation& operator=(const Cancellation&) = delete;

  void Cancel() {
    if (cancelled_.exchange(true, std::memory_order_acq_rel)) return;
    const MutexLock lock(mutex_);
    for (const auto& [who, on_cancel] : watchers_) on_cancel();
  }
  bool cancelled() const { return cancelled_.load(std::memory_order_acquire); }

  /// Calls `on_cancel` on Cancel, or at once if that has been; until Forget. It may be called
  /// twice. It is quick and calls neither doors nor this. `who` is the key of the two calls.
  void Watch(const void* who, std::function<void()> on_cancel) const {
    const MutexLock lock(mutex_);
    const auto& watcher = watchers_[who] = std::move(on_cancel);
    if (cancelled()) watcher();
  }
  /// `on_cancel` does not run any more when this returns.
  void Forget(const void* who) const {
    const MutexLock lock(mutex_);
    watchers_.erase(who);
  }

 private:
  std::atomic<bool> cancelled_{false};
  mutable Mutex mutex_;
  mutable std::map<const void*, std::function<void()>> watchers_ GUARDED_BY(mutex_);
};

}  // namespace mlos::engine
