// SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>

#include "base/clock.h"
#include "base/mutex.h"
#include "base/result.h"
#include "engine/engine.h"

namespace mlos::catalog {

/// Loads that are waited for no longer than they may take. An engine cannot be told to stop
/// loading, so a load that is over its time goes on by itself: it is counted, and what it loaded is
/// freed when it ends. Thread-safe.
class TimedLoads {
 public:
  /// Loads over their time at once; beyond, no other is begun.
  static constexpr std::uint32_t kOverdueMax = 4;

  TimedLoads() = default;
  TimedLoads(const TimedLoads&) = delete;
  TimedLoads& operator=(const TimedLoads&) = delete;
  /// Waits for those that go on.
  ~TimedLoads();

  using Outcome = Result<std::unique_ptr<engine::LoadedModel>>;
  /// The outcome of `load`, which is called on a thread of its own and holds what it uses.
  /// DEADLINE_EXCEEDED if it takes longer than until `deadline`; OVERLOADED.
  Outcome Run(std::function<Outcome()> load, Deadline deadline);

  /// Loads that are over their time and go on.
  std::uint32_t overdue();

 private:
  /// Shared by who waits and the thread that loads; guarded by mutex_.
  struct Load {
    std::optional<Outcome> outcome;
    bool overdue = false;
  };

  void Finish(Load& load, Outcome outcome);

  Mutex mutex_;
  CondVar changed_;
  std::uint32_t running_ GUARDED_BY(mutex_) = 0;
  std::uint32_t overdue_ GUARDED_BY(mutex_) = 0;
};

}  // namespace mlos::catalog
