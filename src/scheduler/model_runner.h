// SPDX-License-Identifier: MIT
#pragma once

#include <memory>
#include <optional>
#include <span>
#include <string>

#include "engine/engine.h"
#include "resource/byte_budget.h"
#include "scheduler/batcher.h"
#include "scheduler/model_queue.h"
#include "sequence/sequences.h"

namespace mlos::scheduler {

/// A request to a model that an engine has loaded.
class RequestJob : public Job {
 public:
  using Job::Job;

  /// Its place in its sequence, if it belongs to one; left before it is answered.
  sequence::Sequences::Entry entry;
  /// Whether it wants every response of a model that streams.
  bool streams = false;
};

/// The queue of a model that an engine has loaded: runs its requests one by one, merged, as steps
/// of their sequences, or hands them over to an engine that answers later. Thread-safe.
class ModelRunner : public ModelQueue {
 public:
  /// `model`, `budget` and `sequences`, which may be null, must outlive it. Requests share runs if
  /// there is `batching` and the engine answers in place.
  ModelRunner(const std::string& model_id, const ModelQueueOptions& options,
              engine::LoadedModel& model, sequence::Sequences* sequences,
              const std::optional<BatchOptions>& batching, resource::ByteBudget& budget);

  bool Execute(std::span<const std::shared_ptr<Job>> jobs, engine::Stop* stop) override;

  /// How many items `request` counts for: those along the batch axis, if the model has one.
  std::int64_t ItemsOf(const engine::InferenceRequest& request) const;
  /// Whether requests may share a run.
  bool batches() const { return batcher_ != nullptr && batcher_->enabled(); }

 private:
  ModelRunner(const std::string& model_id, const ModelQueueOptions& options,
              engine::LoadedModel& model, sequence::Sequences* sequences,
              std::unique_ptr<Batcher> batcher);
  void RunStep(RequestJob& job, engine::Stop* stop);
  void Submit(std::span<const std::shared_ptr<Job>> jobs);

  engine::LoadedModel& model_;
  sequence::Sequences* const sequences_;
  Batcher* const batcher_;  ///< the discipline, if it is one
};

}  // namespace mlos::scheduler
