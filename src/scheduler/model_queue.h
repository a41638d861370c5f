// SPDX-License-Identifier: MIT
#pragma once

#include <atomic>
#include <cstdint>
#include <map>
#include <memory>
#include <span>
#include <string>
#include <unordered_map>
#include <utility>

#include "engine/stop.h"
#include "scheduler/discipline.h"
#include "scheduler/job.h"
#include "scheduler/run_times.h"

namespace mlos::scheduler {

struct ModelQueueOptions {
  /// Runs side by side; 0: as many as the scheduler has threads.
  std::uint32_t runs_max = 0;
  /// Whether a run takes a time that the shapes of its inputs give: only such a model may run on
  /// the thread that submits.
  bool time_given_by_shapes = false;
};

/// What waits for one model, what is known of its runs, and how they are made. Outlives its jobs.
class ModelQueue {
 public:
  ModelQueue(std::string model_id, const ModelQueueOptions& options,
             std::unique_ptr<Discipline> discipline)
      : model_id_(std::move(model_id)), options_(options), discipline_(std::move(discipline)) {}
  ModelQueue(const ModelQueue&) = delete;
  ModelQueue& operator=(const ModelQueue&) = delete;
  virtual ~ModelQueue() = default;

  /// Runs `jobs`, which the discipline chose, on the calling thread: skips those that are not
  /// wanted any more, answers the others. `stop` is requested when nobody waits for any of them,
  /// or when a run of several must not keep those who still wait any longer; null for a run that is
  /// known to be short. True if the jobs are open when it returns: the engine has taken them on,
  /// and ends each by Job::End.
  virtual bool Execute(std::span<const std::shared_ptr<Job>> jobs, engine::Stop* stop) = 0;

  const std::string& model_id() const { return model_id_; }
  const ModelQueueOptions& options() const { return options_; }
  RunTimes& run_times() { return run_times_; }
  const RunTimes& run_times() const { return run_times_; }

  Discipline& discipline() { return *discipline_; }

  /// Requests that wait; a figure for scrapes and quick looks.
  std::uint32_t waiting() const { return waiting_count_.load(std::memory_order_relaxed); }
  /// Runs that were told to stop and have not.
  std::uint32_t overdue() const { return overdue_.load(std::memory_order_relaxed); }

 private:
  friend class RunQueue;
  friend class Scheduler;
  friend class Watchdog;

  const std::string model_id_;
  const ModelQueueOptions options_;
  const std::unique_ptr<Discipline> discipline_;
  RunTimes run_times_;
  std::atomic<std::uint32_t> waiting_count_{0};
  std::atomic<std::uint32_t> overdue_{0};

  // Guarded by the lock of the scheduler.
  Waiting waiting_;
  /// Of each sequence that has a job waiting or running: those behind it, by the numbers of their
  /// ranks. Whatever the order of the queue is, a sequence keeps its own.
  std::unordered_map<const void*, std::map<std::uint64_t, std::shared_ptr<Job>>> sequences_;
  std::uint32_t runs_ = 0;    ///< that count against runs_max
  std::uint32_t active_ = 0;  ///< jobs that are not over
  bool halting_ = false;      ///< somebody waits until no job is left
  bool closed_ = false;       ///< takes no more jobs
  bool given_up_ = false;     ///< too many of its runs did not stop
};

}  // namespace mlos::scheduler
