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

/// The jobs that form the next run of a model; none before `not_before`.
struct Choice {
  std::vector<Waiting::iterator> jobs;
  SteadyClock::time_point not_before = SteadyClock::time_point::max();
};

/// Says which of the jobs that wait for one model form its next run. Called under the scheduler's
/// lock.
class Discipline {
 public:
  Discipline() = default;
  Discipline(const Discipline&) = delete;
  Discipline& operator=(const Discipline&) = delete;
  virtual ~Discipline() = default;

  /// `waiting` is not empty. The first of it is in the choice, unless that is put off.
  virtual Choice Next(Waiting& waiting, SteadyClock::time_point now) = 0;
  /// A job is about to wait.
  virtual void Enter(Job& /*job*/) {}
  /// A run for so many items is over, and `waiting` is left.
  virtual void Over(std::int64_t /*items*/, const Waiting& /*waiting*/) {}
};

/// One job after the other.
class OneByOne : public Discipline {
 public:
  Choice Next(Waiting& waiting, SteadyClock::time_point now) override;
};

/// All at once, for an engine that takes on as many requests as are ready.
class AllReady : public Discipline {
 public:
  static constexpr std::size_t kRunsMax = 64;
  Choice Next(Waiting& waiting, SteadyClock::time_point now) override;
};

}  // namespace mlos::scheduler
