// SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>
#include <list>
#include <memory>
#include <set>
#include <unordered_map>
#include <utility>
#include <vector>

#include "base/clock.h"
#include "scheduler/job.h"
#include "scheduler/model_queue.h"
#include "scheduler/run_queue.h"
#include "scheduler/slots.h"

namespace mlos::scheduler {

/// The ending of runs that do not end by themselves. A run that nobody waits for is told to stop.
/// One that has not a second later is overdue: it is counted until it ends, and holds no slot. A
/// model with too many of them is given up.
///
///     wanted ──► told to stop ──► overdue ──► ended
///        └─────────────┴────────────────────► ended
///
/// A run is on a thread of the pool, or open: an engine has taken on its jobs, and ends each. Like
/// RunQueue it has no threads, lock or clock of its own. Thread-compatible.
class Watchdog {
 public:
  using Jobs = std::vector<std::shared_ptr<Job>>;
  using OpenJobs = std::unordered_map<Job*, std::shared_ptr<Job>>;

  /// A model is given up once more than `overdue_runs_max` of its runs on threads are overdue. An
  /// open one holds no thread, so 16 times as many of those may be.
  explicit Watchdog(std::uint32_t overdue_runs_max) : overdue_runs_max_(overdue_runs_max) {}

  /// An engine has taken `job` on in a run that was told to stop at `stopped_at`, or `max()`.
  void Open(const std::shared_ptr<Job>& job, SteadyClock::time_point stopped_at,
            SteadyClock::time_point now);
  /// The engine has ended it.
  void Close(Job& job);
  /// Those that are not ended.
  const OpenJobs& open() const { return open_; }

  /// Tells runs of the pool to stop that nobody waits for any more, or that keep those who still
  /// wait from an answer of their own.
  void StopUnwanted(std::list<Running>& runs, SteadyClock::time_point now);
  /// Tells the engine to stop an open job, once.
  void StopOpen(Job& job, SteadyClock::time_point now);

  /// Counts what has become overdue. Returns a job of each model that is to be given up now.
  Jobs CountOverdue(std::list<Running>& runs, RunQueue& queue, SteadyClock::time_point now);
  /// An overdue run of `queue` has ended after all.
  void Discount(ModelQueue& queue);
  /// Runs that were told to stop and have not, of all models.
  std::uint32_t overdue() const { return overdue_; }

  /// When StopUnwanted or CountOverdue have something to do, as far as is known.
  SteadyClock::time_point Next(const std::list<Running>& runs) const;

 private:
  void MarkStopped(Job& job, SteadyClock::time_point when);
  bool TooMany(ModelQueue& queue, std::uint32_t overdue_max);

  const std::uint32_t overdue_runs_max_;
  std::uint32_t overdue_ = 0;
  OpenJobs open_;
  /// Of them, those that were told to stop and are not counted as overdue, by when that was.
  std::set<std::pair<SteadyClock::time_point, Job*>> stopping_;
};

}  // namespace mlos::scheduler
