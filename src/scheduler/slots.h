// SPDX-License-Identifier: MIT
#pragma once

#include <chrono>
#include <cstdint>
#include <list>

#include "base/clock.h"
#include "engine/stop.h"
#include "scheduler/run_queue.h"

namespace mlos::scheduler {

// How long a run goes on before it gives its slot up to the shortest runs, and to all.
inline constexpr std::chrono::milliseconds kShortRun{10};
inline constexpr std::chrono::milliseconds kLongRun{1000};

/// A run on a thread of the pool.
struct Running {
  RunQueue::Taken taken;
  SteadyClock::time_point started;
  SteadyClock::time_point stopped_at = SteadyClock::time_point::max();
  /// Of a run of several, one of which is not waited for any more: when it has gone on for so
  /// long that it is told to stop although others wait for it.
  SteadyClock::time_point overlong_at = SteadyClock::time_point::max();
  bool overdue = false;
  engine::Stop stop;
};

/// How many runs go on at once: the slots of the pool, and the runs in them.
///
/// A run that has gone on for 10, 20, 40, … ms gives its slot up to runs that are known to take
/// less than that, and after a second to all. One that is overdue does not count. Like RunQueue it
/// has no threads, lock or clock of its own. Thread-compatible.
class Slots {
 public:
  using Run = std::list<Running>::iterator;

  explicit Slots(std::uint32_t count) : count_(count) {}

  std::uint32_t count() const { return count_; }
  /// Those that go on, with those that have given their slots up.
  std::list<Running>& runs() { return runs_; }
  const std::list<Running>& runs() const { return runs_; }

  /// Takes the next run of `queue` that may start now: the last of runs(). False if there is none.
  bool Start(RunQueue& queue, SteadyClock::time_point now);
  /// Takes a run out that has ended, with its jobs.
  std::list<Running> Remove(Run run);

  /// When Start would find a run: `now` if it would at once, `max()` if not by time alone.
  SteadyClock::time_point NextStart(RunQueue& queue, SteadyClock::time_point now) const;
  /// When the next run gives its slot up; `max()` if none will.
  SteadyClock::time_point NextRoom(SteadyClock::time_point now) const;

 private:
  /// Runs that are known to take less may start now; 0: none, `max()`: all.
  std::chrono::microseconds RoomAt(SteadyClock::time_point now) const;
  /// Slots that no run is in; 1 at least, for a run that starts beside others.
  std::uint32_t Free() const;

  const std::uint32_t count_;
  std::list<Running> runs_;
};

}  // namespace mlos::scheduler
