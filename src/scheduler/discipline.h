// SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <vector>

#include "base/clock.h"
#include "scheduler/job.h"

namespace mlos::scheduler {

/// The jobs of one model that wait and may run, in the order of their ranks. Of each sequence there
/// is one at most.
using Waiting = std::map<Rank, std::shared_ptr<Job>>;
/// The jobs that form the next run of a model.
using Choice = std::vector<Waiting::iterator>;

/// Says which of the jobs that wait for one model form its next run. Called under the scheduler's
/// lock.
class Discipline {
 public:
  Discipline() = default;
  Discipline(const Discipline&) = delete;
  Discipline& operator=(const Discipline&) = delete;
  virtual ~Discipline() = default;

  /// When the next run may begin; it is put off if that is after `now`. `waiting` is not empty.
  virtual SteadyClock::time_point Begins(const Waiting& /*waiting*/, SteadyClock::time_point now) {
    return now;
  }
  /// The first of `waiting`, which is not empty, and what shares its run. So many runs could begin
  /// now, this one included: what is left in `waiting` can run beside it.
  virtual Choice Next(Waiting& waiting, std::uint32_t free_runs) = 0;
  /// A job is about to wait.
  virtual void Enter(Job& /*job*/) {}
  /// A run for so many items is over, and `waiting` is left.
  virtual void Over(std::int64_t /*items*/, const Waiting& /*waiting*/) {}
};

/// One job after the other.
class OneByOne : public Discipline {
 public:
  Choice Next(Waiting& waiting, std::uint32_t free_runs) override;
};

/// All at once, for an engine that takes on as many requests as are ready.
class AllReady : public Discipline {
 public:
  static constexpr std::size_t kRunsMax = 64;
  Choice Next(Waiting& waiting, std::uint32_t free_runs) override;
};

}  // namespace mlos::scheduler
