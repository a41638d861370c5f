// SPDX-License-Identifier: MIT
#pragma once

#include <memory>
#include <optional>
#include <string>

#include "base/result.h"
#include "catalog/plugin_table.h"
#include "catalog/served_model.h"
#include "catalog/timed_loads.h"
#include "package/model_files.h"
#include "probe/probe.h"
#include "registry/registry.h"
#include "resource/byte_budget.h"
#include "sequence/sequences.h"
#include "store/copies.h"

namespace mlos::catalog {

/// Loads files of Core's own into an engine of this process: after a trial in another process, once
/// for each digest and plugin version, and with an entry in the registry's journal meanwhile.
/// Thread-safe.
class ModelLoader {
 public:
  /// Without a program, nothing is tried beforehand.
  ModelLoader(registry::Registry& registry, probe::Program program, std::uint64_t arena_bytes_max,
              std::uint32_t compute_threads, const scheduler::BatchOptions& batching,
              const sequence::SequenceOptions& sequences, sequence::Reaper& reaper,
              resource::ByteBudget& budget)
      : registry_(registry),
        program_(std::move(program)),
        arena_bytes_max_(arena_bytes_max),
        compute_threads_(compute_threads),
        batching_(batching),
        sequences_(sequences),
        reaper_(reaper),
        budget_(budget) {}

  /// INVALID_MODEL if the files crashed or hung while being tried, now or earlier; INVALID_FIELD
  /// for declared state that the model does not have; DEADLINE_EXCEEDED if it takes longer than
  /// until `deadline`, or than a trial may; otherwise as Engine::Load.
  Result<std::shared_ptr<ServedModel>> Load(const registry::ModelRecord& record,
                                            const store::Copies::Copy& copy,
                                            const PluginHandle& plugin,
                                            std::shared_ptr<metrics::ModelCounts> counts,
                                            Deadline deadline);
  /// Loads that are over their time and go on.
  std::uint32_t overdue() { return loads_->overdue(); }

 private:
  Status TryOnce(const package::ModelFiles& files, const engine::ModelSource& source,
                 const PluginHandle& plugin, Deadline deadline);
  /// `deadline`, or an earlier end of what may take as long as a trial.
  Deadline EndOf(Deadline deadline) const;

  Result<std::unique_ptr<engine::LoadedModel>> LoadJournalled(
      const engine::ModelSource& source, const std::shared_ptr<engine::Engine>& engine,
      Deadline deadline);

  /// How requests to the model share runs; nothing where they never do.
  std::optional<scheduler::BatchOptions> BatchingOf(const registry::ModelRecord& record,
                                                    const package::ModelFiles& files,
                                                    const engine::ModelSchema& schema) const;
  /// Null where the model carries no state.
  Result<std::unique_ptr<sequence::Sequences>> SequencesOf(const sequence::StatePairs& declared,
                                                           engine::LoadedModel& model) const;

  registry::Registry& registry_;
  const probe::Program program_;
  const std::uint64_t arena_bytes_max_;
  const std::uint32_t compute_threads_;
  const scheduler::BatchOptions batching_;
  const sequence::SequenceOptions sequences_;
  sequence::Reaper& reaper_;
  resource::ByteBudget& budget_;
  std::unique_ptr<TimedLoads> loads_ = std::make_unique<TimedLoads>();
};

}  // namespace mlos::catalog
