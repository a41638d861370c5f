// SPDX-License-Identifier: MIT
#pragma once

#include <algorithm>
#include <atomic>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "base/clock.h"
#include "base/result.h"
#include "engine/engine.h"
#include "engine/inference.h"
#include "resource/byte_budget.h"
#include "scheduler/batching/merge_trials.h"
#include "scheduler/discipline.h"

namespace mlos::scheduler {

struct BatchOptions {
  /// Items of one run at most; below 2: never merge.
  std::uint32_t max_batch_size = 32;
  /// A run with this many items waits no longer; 0: as many as callers asked lately.
  std::uint32_t preferred_batch_size = 0;
  /// A run never waits longer than this for more items, nor than an eighth of the last one took.
  std::int64_t max_queue_delay_us = 2000;
  /// Runs of the model that go side by side.
  std::uint32_t slots = 1;
};

/// As many runs of one model side by side as the compute threads are enough for, if a run computes
/// with `threads_per_run`.
inline std::uint32_t SlotsFor(std::uint32_t compute_threads, std::uint32_t threads_per_run) {
  return std::max(1U, compute_threads / threads_per_run);
}

/// Dynamic batching: the discipline of a model whose requests may share a run, and how such a run
/// is made. A run takes what waits once a thread is free for it, so a lone caller waits for nobody;
/// if several callers asked lately, it waits a moment for them to come back. Runs that could begin
/// side by side share what waits, so that no core idles beside a full run.
///
/// Whether the first axis really is a batch, and whether merging pays, is tried on requests that
/// could share a run: they are run alone and merged, and get the answers of their lone runs (see
/// MergeTrials). Once merging is trusted, now and then one request of a merged run is run alone
/// before any is answered. A difference beyond rounding, and the model is never merged again.
/// Begins, Next, Enter and Over are called under the scheduler's lock; Run is thread-safe.
class Batcher : public Discipline {
 public:
  /// `model` and `budget` must outlive it; `model_id` is for logs.
  Batcher(std::string model_id, engine::LoadedModel& model, resource::ByteBudget& budget,
          const BatchOptions& options)
      : model_id_(std::move(model_id)), model_(model), budget_(budget), options_(options) {}

  SteadyClock::time_point Begins(const Waiting& waiting, SteadyClock::time_point now) override;
  Choice Next(Waiting& waiting, std::uint32_t free_runs) override;
  void Enter(Job& job) override;
  void Over(std::int64_t items, const Waiting& waiting) override;

  using Jobs = std::span<const std::shared_ptr<Job>>;
  /// Runs jobs that Next chose, merged or one by one, and answers them.
  void Run(Jobs jobs, engine::Stop* stop);

  /// False once merging is known not to be for this model.
  bool enabled() const { return !trials_.off(); }

 private:
  using Batch = std::vector<Job*>;
  using Responses = std::vector<engine::InferenceResponse>;
  struct Trial {
    batching::Compatibility compatibility;
    std::vector<Result<engine::InferenceResponse>> alone = {};
    Result<Responses> merged = Responses();
    std::int64_t alone_us = 0;
    std::int64_t merged_us = 0;
  };

  /// Adds what may share the run of the first one, up to its share of what waits.
  void AddSharing(Waiting& waiting, std::uint32_t free_runs, Choice& choice) const;
  /// Whether two or more of the model's requests may share a run, this one among them.
  bool Shares(const Job& job) const { return job.items > 0 && enabled(); }
  void RunMerged(const Batch& batch, bool check, engine::Stop* stop);
  /// Whether one of the requests gets the same answer alone; if not, merging is over.
  bool Check(const Batch& batch, const Responses& responses);
  /// Runs the requests alone, and merged if that says something, and compares.
  void Try(const Batch& batch, batching::Compatibility compatibility, engine::Stop* stop);
  void Conclude(const Trial& trial);
  void RunEach(const Batch& batch);
  /// The responses of one run of all.
  Result<Responses> RunTogether(const Batch& batch, engine::Stop* stop);

  const std::string model_id_;
  engine::LoadedModel& model_;
  resource::ByteBudget& budget_;
  const BatchOptions options_;
  batching::MergeTrials trials_;
  // Which request of a batch is looked at next.
  std::atomic<std::size_t> checks_{0};
  std::atomic<std::int64_t> last_run_us_{0};
  // When the last merged run was over.
  std::atomic<SteadyClock::time_point> answered_at_{};

  // Guarded by the scheduler's lock.
  // Items of the runs that go on.
  std::int64_t running_items_ = 0;
  // How many items there were at once, waiting or running, when the last run ended.
  std::int64_t recent_items_ = 0;
  // When the run that is put off now starts at the latest; none is for the epoch.
  SteadyClock::time_point linger_until_;
};

}  // namespace mlos::scheduler
