// SPDX-License-Identifier: MIT
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <set>
#include <utility>
#include <vector>

#include "base/clock.h"
#include "scheduler/job.h"
#include "scheduler/model_queue.h"

namespace mlos::scheduler {

/// Everything that waits for the processor, of all models: one ceiling, one order. Which jobs share
/// a run is said by the discipline of their model; jobs of one sequence wait for each other.
///
/// It has no threads, lock or clock of its own: time comes in as an argument, so that a test can
/// drive it through any schedule. Thread-compatible.
class RunQueue {
 public:
  /// The group of a job: lower ones run first; in a group, who came first.
  using Order = std::function<std::uint32_t(const Job&)>;

  /// `order` null: one group, so first come, first served.
  explicit RunQueue(std::uint32_t length_max, Order order = nullptr)
      : length_max_(length_max), order_(std::move(order)) {}

  /// A run, as it was taken. Each of its jobs is Released in the end, and the run Finished.
  struct Taken {
    ModelQueue* queue = nullptr;
    std::vector<std::shared_ptr<Job>> jobs;

    std::int64_t items() const;
  };

  /// Lets the job wait. False, and nothing has happened, if the queue is full.
  bool Push(const std::shared_ptr<Job>& job, SteadyClock::time_point now);
  /// A job that runs without having waited: the jobs of its sequence wait for it. False if it has
  /// to wait.
  bool Start(Job& job);
  /// How many runs may go side by side, of one model and in all, and how many could begin now.
  struct Limits {
    std::uint32_t runs_max;
    std::uint32_t free;
  };
  /// Whether a run may begin, given its model and its first job.
  using MayRun = std::function<bool(const ModelQueue&, const Job& first)>;
  /// The next run among the models for which `may_run`; no queue if there is none.
  Taken Take(SteadyClock::time_point now, const Limits& limits, const MayRun& may_run);
  /// Whether Take would find a run.
  bool HasRun(SteadyClock::time_point now, const Limits& limits, const MayRun& may_run) {
    return Find(now, limits, may_run) != nullptr;
  }
  /// When the first of the runs may begin that the last search put off; `max()` if none is.
  SteadyClock::time_point not_before() const { return not_before_; }
  /// Takes a job out that waits.
  void Remove(Job& job);
  /// A job that was taken or started is over: the next one of its sequence may run.
  void Release(Job& job);
  /// A run of `queue`, for so many items, does not count against its limit any more.
  void Finish(ModelQueue& queue, std::int64_t items);

  /// Takes out everything that waits for `queue`, or for all models if it is null.
  std::vector<std::shared_ptr<Job>> Clear(ModelQueue* queue);

  std::size_t length() const { return length_; }
  std::uint32_t length_max() const { return length_max_; }
  /// Jobs that wait and could run, those of busy sequences not counted.
  bool has_ready() const { return !models_.empty(); }

 private:
  using Place = std::pair<Rank, ModelQueue*>;

  /// The model whose run is next; null if there is none.
  ModelQueue* Find(SteadyClock::time_point now, const Limits& limits, const MayRun& may_run);
  void Insert(ModelQueue& queue, std::shared_ptr<Job> job);
  std::shared_ptr<Job> Extract(ModelQueue& queue, Waiting::iterator job);
  void Left(Job& job);

  const std::uint32_t length_max_;
  const Order order_;
  std::uint64_t next_number_ = 1;
  std::size_t length_ = 0;
  SteadyClock::time_point not_before_ = SteadyClock::time_point::max();
  /// The models with jobs that could run, each with the rank of its first one.
  std::set<Place> models_;
};

}  // namespace mlos::scheduler
