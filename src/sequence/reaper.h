// SPDX-License-Identifier: MIT
#pragma once

#include <atomic>
#include <chrono>
#include <cstdint>
#include <set>
#include <thread>

#include "base/clock.h"
#include "base/mutex.h"

namespace mlos::sequence {

/// Something whose sequences may be left behind by their callers.
class Reapable {
 public:
  Reapable() = default;
  Reapable(const Reapable&) = delete;
  Reapable& operator=(const Reapable&) = delete;
  virtual ~Reapable() = default;

  /// Ends the sequences that nobody has gone on with since `idle_since`. Returns since when the
  /// longest idle one of the others has been; kNoDeadline where none is idle.
  virtual SteadyClock::time_point EndIdle(SteadyClock::time_point idle_since) = 0;
};

/// Ends the sequences of all models that nobody goes on with, on a thread of its own that sleeps
/// while there are none. Outlives what it watches. Thread-safe.
class Reaper {
 public:
  explicit Reaper(std::chrono::milliseconds idle_timeout);
  Reaper(const Reaper&) = delete;
  Reaper& operator=(const Reaper&) = delete;
  ~Reaper();

  void Watch(Reapable& reapable);
  /// EndIdle of it does not run any more when this returns.
  void Forget(Reapable& reapable);

  /// A sequence has begun, or is over.
  void Enter();
  void Leave() { count_.fetch_sub(1, std::memory_order_relaxed); }
  /// Sequences under way.
  std::int64_t count() const { return count_.load(std::memory_order_relaxed); }

 private:
  void Run();
  /// Looks through all; returns when to look again.
  SteadyClock::time_point Sweep(SteadyClock::time_point now) REQUIRES(mutex_);

  const std::chrono::milliseconds idle_timeout_;
  std::atomic<std::int64_t> count_{0};
  Mutex mutex_;
  CondVar changed_;
  std::set<Reapable*> watched_ GUARDED_BY(mutex_);
  bool stopping_ GUARDED_BY(mutex_) = false;
  std::thread thread_;
};

}  // namespace mlos::sequence
