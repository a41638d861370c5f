// SPDX-License-Identifier: MIT
#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "base/clock.h"
#include "base/status.h"
#include "engine/engine.h"
#include "metrics/counts.h"
#include "resource/byte_budget.h"
#include "scheduler/batcher.h"
#include "scheduler/model_runner.h"
#include "sequence/sequences.h"
#include "store/copies.h"
#include "store/mapped_files.h"

namespace mlos::catalog {

/// A loaded model as requests hold it. Whoever has one may run it: a swap or removal takes the
/// model out of the table at once and out of memory when the last holder lets go. Thread-safe.
class ServedModel {
 public:
  ServedModel(std::string model_id, std::string version, std::string plugin_id, std::string digest,
              std::shared_ptr<metrics::ModelCounts> counts, store::Copies::Copy copy,
              std::shared_ptr<engine::Engine> engine, std::unique_ptr<engine::LoadedModel> model,
              std::unique_ptr<sequence::Sequences> sequences,
              const scheduler::ModelQueueOptions& queueing,
              const std::optional<scheduler::BatchOptions>& batching, resource::ByteBudget& budget)
      : model_id_(std::move(model_id)),
        version_(std::move(version)),
        plugin_id_(std::move(plugin_id)),
        digest_(std::move(digest)),
        counts_(std::move(counts)),
        copy_(std::move(copy)),
        engine_(std::move(engine)),
        model_(std::move(model)),
        sequences_(std::move(sequences)),
        runner_(model_id_, queueing, *model_, sequences_.get(), batching, budget) {}
  ServedModel(const ServedModel&) = delete;
  ServedModel& operator=(const ServedModel&) = delete;

  const std::string& model_id() const { return model_id_; }
  const std::string& version() const { return version_; }
  const std::string& plugin_id() const { return plugin_id_; }
  const std::string& digest() const { return digest_; }
  const engine::ModelSchema& schema() const { return model_->schema(); }
  engine::LoadedModel& loaded() const { return *model_; }
  /// What it was loaded from, where only Core writes.
  const store::Copies::Copy& copy() const { return copy_; }
  const package::ModelFiles& files() const { return copy_.files; }
  /// IO_ERROR once a page of those files could not be read: the model computes with zeros in its
  /// place from then on. The first time, `on_damage` is called.
  Status CheckIntact() const {
    if (!mapped_.damaged()) return OkStatus();
    if (on_damage && !told_.exchange(true)) on_damage(*this);
    return {Reason::kIoError, "the files of model '" + model_id_ +
                                  "' could not be read while it ran; it is not served any more"};
  }
  /// Set before the model is shared.
  std::function<void(const ServedModel&)> on_damage;
  /// Seconds since the Unix epoch.
  std::int64_t loaded_at() const { return loaded_at_; }
  /// Outputs of its graph that are sequences, which no door carries.
  const std::vector<std::string>& sequence_outputs() const {
    return copy_.files.facts.sequence_outputs;
  }
  /// What every request to it is counted in; see Runtime::Acquire.
  const std::shared_ptr<metrics::ModelCounts>& counts() const { return counts_; }

  /// What waits for the model, and how it is run.
  scheduler::ModelRunner& runner() { return runner_; }
  /// The sequences of its requests; null if it has no state to carry.
  sequence::Sequences* sequences() const { return sequences_.get(); }

 private:
  const std::string model_id_;
  const std::string version_;
  const std::string plugin_id_;
  const std::string digest_;
  const std::int64_t loaded_at_ = UnixSecondsNow();
  const std::shared_ptr<metrics::ModelCounts> counts_;
  // The files that the model is mapped from.
  const store::Copies::Copy copy_;
  const store::MappedFiles mapped_{copy_.files.directory};
  mutable std::atomic<bool> told_{false};
  // The engine outlives its models: destruction goes upwards.
  const std::shared_ptr<engine::Engine> engine_;
  const std::unique_ptr<engine::LoadedModel> model_;
  const std::unique_ptr<sequence::Sequences> sequences_;
  scheduler::ModelRunner runner_;
};

}  // namespace mlos::catalog
