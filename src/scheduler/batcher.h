// SPDX-License-Identifier: MIT
#pragma once

#include <algorithm>
#include <atomic>
#include <cstdint>
#include <deque>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "base/clock.h"
#include "base/mutex.h"
#include "base/result.h"
#include "engine/engine.h"
#include "engine/inference.h"
#include "resource/byte_budget.h"
#include "scheduler/merge_trials.h"
#include "scheduler/scheduler.h"

namespace mlos::scheduler {

/// A job that may share a run with others of its model.
class MergeableJob : public Job {
 public:
  using Job::Job;
  virtual const engine::InferenceRequest& request() const = 0;
  /// The model was run once, for so many items: those of this job, and of the others of its batch.
  virtual void CountRun(std::int64_t items, std::int64_t run_time_us) = 0;
  /// In place of Run, where the model has been run already.
  virtual void Answer(Result<engine::InferenceResponse> outcome, std::int64_t queue_time_us,
                      std::int64_t run_time_us) = 0;
};

struct BatchOptions {
  /// Items of one run at most; below 2: never merge.
  std::uint32_t max_batch_size = 32;
  /// A run with this many items waits no longer; 0: as many as callers asked lately.
  std::uint32_t preferred_batch_size = 0;
  /// A run never waits longer than this for more items, nor than an eighth of the last one took.
  std::int64_t max_queue_delay_us = 2000;
  /// Runs of the model that go side by side.
  std::uint32_t slots = 1;
  std::uint32_t queue_length_max = 1024;
};

/// As many runs of one model side by side as the compute threads are enough for, if a run computes
/// with `threads_per_run`.
inline std::uint32_t SlotsFor(std::uint32_t compute_threads, std::uint32_t threads_per_run) {
  return std::max(1U, compute_threads / threads_per_run);
}

/// The queue of one model whose requests may share a run (dynamic batching). A run takes what waits
/// when a thread is free for it, so that a lone caller waits for nobody; where several callers
/// asked lately it waits a moment for them to come back.
///
/// Whether the first axis really is a batch, and whether merging pays, is tried on requests that
/// could share a run: they are run alone and merged, and get the answers of their lone runs (see
/// MergeTrials). Once merging is trusted, now and then one request of a merged run is run alone
/// before any is answered. A difference beyond rounding, and the model is never merged again.
/// Thread-safe.
class Batcher {
 public:
  /// `model` and `budget` must outlive it; `model_id` is for logs.
  Batcher(std::string model_id, engine::LoadedModel& model, resource::ByteBudget& budget,
          const BatchOptions& options)
      : model_id_(std::move(model_id)), model_(model), budget_(budget), options_(options) {}
  Batcher(const Batcher&) = delete;
  Batcher& operator=(const Batcher&) = delete;

  /// False once merging is known not to be for this model.
  bool enabled() const { return !trials_.off(); }

  /// Takes the job, or refuses it as Scheduler::Submit does; its runs happen on `scheduler`'s
  /// threads. `owner` keeps the batcher alive until then.
  void Submit(Scheduler& scheduler, std::unique_ptr<MergeableJob> job,
              std::shared_ptr<const void> owner);

 private:
  class Turn;
  struct Waiting {
    std::unique_ptr<MergeableJob> job;
    SteadyClock::time_point since;
    std::int64_t items = 0;
    std::int64_t queue_time_us = 0;
  };
  using Batch = std::vector<Waiting>;
  using Responses = std::vector<engine::InferenceResponse>;
  struct Trial {
    Likeness likeness;
    std::vector<Result<engine::InferenceResponse>> alone;
    Result<Responses> merged = Responses();
    std::int64_t alone_us = 0;
    std::int64_t merged_us = 0;
  };

  /// Takes the job into the queue. True where a thread is needed for it.
  bool Push(std::unique_ptr<MergeableJob>& job);
  /// One run. True where more is waiting.
  bool RunTurn();
  /// A turn was refused: so is what waits, unless another turn will come to it.
  void EndTurn(const Status& why);

  /// Whether it is to be run now; if not, it has been refused.
  static bool StillWanted(Waiting& waiting);
  void Linger() REQUIRES(mutex_);
  Batch Take();
  void Run(Batch batch);
  void RunMerged(Batch batch, bool check);
  /// Whether one of the requests gets the same answer alone; if not, merging is over.
  bool Check(const Batch& batch, const Responses& responses);
  /// Runs the requests alone, and merged where that says something, and compares.
  void Try(Batch batch, Likeness likeness);
  void Conclude(const Trial& trial);
  static void RunAlone(Batch batch);
  static std::int64_t ItemsOf(const Batch& batch);
  static std::vector<const engine::InferenceRequest*> RequestsOf(const Batch& batch);
  /// The responses of one run of all.
  Result<Responses> RunTogether(const Batch& batch);

  const std::string model_id_;
  engine::LoadedModel& model_;
  resource::ByteBudget& budget_;
  const BatchOptions options_;
  MergeTrials trials_;
  // Which request of a batch is looked at next.
  std::atomic<std::size_t> checks_{0};
  std::atomic<std::int64_t> last_run_us_{0};

  Mutex mutex_;
  CondVar arrived_;
  std::deque<Waiting> pending_ GUARDED_BY(mutex_);
  std::int64_t pending_items_ GUARDED_BY(mutex_) = 0;
  // A run that waits for so many items is told when they are there; 0: none waits.
  std::int64_t awaited_items_ GUARDED_BY(mutex_) = 0;
  // How many items there were at once when the last run ended.
  std::int64_t recent_items_ GUARDED_BY(mutex_) = 0;
  std::uint32_t turns_ GUARDED_BY(mutex_) = 0;
};

}  // namespace mlos::scheduler
