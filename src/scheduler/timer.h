// SPDX-License-Identifier: MIT
#pragma once

#include <memory>
#include <set>
#include <utility>
#include <vector>

#include "base/clock.h"
#include "base/mutex.h"
#include "scheduler/job.h"

namespace mlos::scheduler {

/// Says when the thread that keeps time wakes, and which jobs it answers then: those whose deadline
/// has come or whose caller has left. It is guarded by the lock of whoever has it, with which the
/// thread sleeps. Thread-compatible.
class Timer {
 public:
  using Jobs = std::vector<std::shared_ptr<Job>>;

  /// Jobs to be answered. Some of them may have been; one may be in both.
  struct Due {
    Jobs left;  ///< whose callers have left
    Jobs late;  ///< whose deadlines have come
  };

  /// Watches the deadline of `job`, if it has one, until Unwatch, which comes before it dies.
  void Watch(Job& job);
  void Unwatch(Job& job);
  void CallerLeft(std::weak_ptr<Job> job, SteadyClock::time_point now);

  /// Takes out what is due.
  Due Take(SteadyClock::time_point now);
  /// When something will be, as far as is known; `max()` if nothing is watched.
  SteadyClock::time_point Next(SteadyClock::time_point now) const;

  /// The thread is to wake then, if not before.
  void Wake(SteadyClock::time_point when);
  /// Sleeps until then, or until Wake wants it sooner.
  void Sleep(Mutex& mutex, SteadyClock::time_point until) REQUIRES(mutex);

 private:
  /// Jobs with a deadline that are not over.
  std::set<std::pair<Deadline, Job*>> deadlines_;
  /// Jobs whose callers have left since the last Take.
  std::vector<std::weak_ptr<Job>> left_;
  SteadyClock::time_point wakes_ = SteadyClock::time_point::max();
  CondVar tick_;
};

}  // namespace mlos::scheduler
