// SPDX-License-Identifier: MIT
#pragma once

#include <cstddef>
#include <functional>
#include <memory>

#include "api/door/executor.h"
#include "base/clock.h"
#include "base/status.h"

namespace mlos::api::door {

/// The threads that all doors share, beside those of their connections. Thread-safe.
///
/// Loading has threads of its own and a queue that is bounded: slow loads keep each other waiting,
/// and nothing else.
class Workers {
 public:
  /// Loads that may wait for a thread.
  static constexpr std::size_t kLoadsWaitingMax = 64;

  Workers();
  Workers(const Workers&) = delete;
  Workers& operator=(const Workers&) = delete;
  ~Workers();

  using Task = std::function<void(Status turn)>;
  /// Runs `task` once: with OK on a thread of `executor`, which for kEventThread is this one. A
  /// load that finds too many waiting gets OVERLOADED at once, and one that is not started by
  /// `deadline` gets DEADLINE_EXCEEDED then; `task` may not do its work.
  void Run(Executor executor, Deadline deadline, Task task);
  /// The same for work that is never refused.
  void Post(Executor executor, std::function<void()> work);

  /// Ends the threads when they have done what was posted. Work that is posted later runs at once;
  /// loads are refused with DRAINING.
  void Join();

 private:
  class Impl;
  const std::unique_ptr<Impl> impl_;
};

}  // namespace mlos::api::door
