// SPDX-License-Identifier: MIT
#include "catalog/model_loader.h"

#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <optional>
#include <utility>

#include "base/clock.h"
#include "base/log.h"
#include "registry/loading.h"
#include "scheduler/batching/batch_merge.h"

namespace mlos::catalog {
namespace {

/// Address space for a trial. Generous, since much of it is never touched: it shall stop files that
/// make the engine allocate without end, not large models.
std::uint64_t TrialMemory(const package::ModelFiles& files, std::uint64_t arena_bytes_max) {
  constexpr std::uint64_t kProgram = std::uint64_t{2} << 30;
  constexpr std::uint64_t kCopiesOfFiles = 4;
  std::uint64_t file_bytes = 0;
  for (const package::FileEntry& file : files.files) file_bytes += file.size_bytes;
  const std::uint64_t machine = static_cast<std::uint64_t>(::sysconf(_SC_PHYS_PAGES)) *
                                static_cast<std::uint64_t>(::sysconf(_SC_PAGESIZE));
  return kProgram + kCopiesOfFiles * file_bytes +
         (arena_bytes_max != 0 ? arena_bytes_max : machine);
}

/// What a verdict is of: the files, and the options they are loaded with.
std::string DigestOfTrial(const engine::ModelSource& source) {
  if (source.options.empty()) return source.digest;
  return source.digest + " with options " + package::DigestOf(source.options).ToString();
}

/// What an engine says of a model is said of the files at its path.
Status OfPath(Status status) {
  if (status.ok() || !status.field().empty()) return status;
  const Reason reason = status.reason();
  const bool about_files = reason == Reason::kInvalidModel || reason == Reason::kUnsupportedModel;
  return about_files ? std::move(status).WithField("path") : std::move(status);
}

}  // namespace

Result<std::shared_ptr<ServedModel>> ModelLoader::Load(const registry::ModelRecord& record,
                                                       const store::Copies::Copy& copy,
                                                       const PluginHandle& plugin,
                                                       std::shared_ptr<metrics::ModelCounts> counts,
                                                       Deadline deadline) {
  const package::ModelFiles& files = copy.files;
  const engine::ModelSource source{
      .model_id = record.model_id,
      .path = files.EnginePath(),
      .format = files.execution_format,
      .digest = record.digest,
      .options = record.settings.options.text,
      .thread_count = static_cast<std::uint32_t>(record.settings.intra_op_threads.value_or(0)),
  };
  MLOS_TRY(TryOnce(files, source, plugin, deadline));
  auto loaded = MLOS_TRY(LoadJournalled(source, plugin.engine, deadline));
  const auto batching = BatchingOf(record, files, loaded->schema());
  auto sequences = MLOS_TRY(SequencesOf(record.settings.state_pairs, *loaded));
  const scheduler::ModelQueueOptions queueing{
      .time_given_by_shapes = files.facts.time_given_by_shapes || loaded->time_given_by_shapes()};
  return std::make_shared<ServedModel>(record.model_id, record.version, plugin.id, record.digest,
                                       std::move(counts), copy, plugin.engine, std::move(loaded),
                                       std::move(sequences), queueing, batching, budget_);
}

Result<std::unique_ptr<sequence::Sequences>> ModelLoader::SequencesOf(
    const sequence::StatePairs& declared, engine::LoadedModel& model) const {
  auto pairs = MLOS_TRY(sequence::ResolveStatePairs(declared, model.schema()));
  // An engine that streams keeps the state itself.
  if (pairs.empty() && !model.streams()) return std::unique_ptr<sequence::Sequences>();
  if (model.streams()) pairs.clear();
  return std::make_unique<sequence::Sequences>(model, std::move(pairs), budget_, reaper_,
                                               sequences_);
}

std::optional<scheduler::BatchOptions> ModelLoader::BatchingOf(
    const registry::ModelRecord& record, const package::ModelFiles& files,
    const engine::ModelSchema& schema) const {
  const settings::ModelSettings& settings = record.settings;
  scheduler::BatchOptions options = batching_;
  const bool asked = settings.max_batch_size.has_value();
  if (asked) options.max_batch_size = static_cast<std::uint32_t>(*settings.max_batch_size);
  options.preferred_batch_size =
      static_cast<std::uint32_t>(settings.preferred_batch_size.value_or(0));
  options.max_queue_delay_us = settings.max_queue_delay_us.value_or(options.max_queue_delay_us);
  if (settings.intra_op_threads) {
    options.slots = scheduler::SlotsFor(compute_threads_,
                                        static_cast<std::uint32_t>(*settings.intra_op_threads));
  }
  if (options.max_batch_size < 2 || (!asked && !scheduler::batching::HasBatchAxis(schema)))
    return {};
  if (files.facts.whole_batch_operator.empty()) return options;
  Log(LogLevel::kInfo, "requests are not batched: their answers would depend on each other",
      {{"model", record.model_id}, {"operator", files.facts.whole_batch_operator}});
  return {};
}

Deadline ModelLoader::EndOf(Deadline deadline) const {
  if (program_.timeout_ms == 0) return deadline;
  return std::min(deadline, SteadyClock::now() + std::chrono::milliseconds(program_.timeout_ms));
}

Result<std::unique_ptr<engine::LoadedModel>> ModelLoader::LoadJournalled(
    const engine::ModelSource& source, const std::shared_ptr<engine::Engine>& engine,
    Deadline deadline) {
  const SteadyClock::time_point start = SteadyClock::now();
  // In the journal for as long as the load goes on, whoever waits for it.
  auto loaded = loads_->Run(
      [&registry = registry_, source, engine] {
        const registry::Loading loading(registry, registry::LoadKind::kModel, source.model_id,
                                        source.digest);
        return engine->Load(source);
      },
      EndOf(deadline));
  if (!loaded.ok()) return OfPath(std::move(loaded).status());
  Log(LogLevel::kInfo, "model loaded",
      {{"model", source.model_id},
       {"plugin", engine->id()},
       {"load_us", MicrosecondsBetween(start, SteadyClock::now())}});
  return loaded;
}

Status ModelLoader::TryOnce(const package::ModelFiles& files, const engine::ModelSource& source,
                            const PluginHandle& plugin, Deadline deadline) {
  if (program_.path.empty()) return OkStatus();
  const registry::TrialKey key{DigestOfTrial(source), plugin.id,
                               std::string(plugin.engine->version())};
  const std::optional<registry::Trial> known = MLOS_TRY(registry_.FindTrial(key));
  if (known.has_value()) {
    if (known->passed) return OkStatus();
    return Status(Reason::kInvalidModel, known->message).WithField("path");
  }
  constexpr std::int64_t kSecond = 1000;
  probe::Request request;
  request.plugin_path = plugin.path;
  request.plugin_id = plugin.id;
  request.plugin_config = plugin.config;
  request.source = source;
  request.arena_bytes_max = arena_bytes_max_;
  request.memory_bytes_max = TrialMemory(files, arena_bytes_max_);
  request.cpu_seconds_max = 2 * program_.timeout_ms / kSecond + 1;
  probe::Program program = program_;
  const auto left =
      std::chrono::floor<std::chrono::milliseconds>(EndOf(deadline) - SteadyClock::now());
  program.timeout_ms = std::max<std::int64_t>(left.count(), 0);
  probe::Verdict verdict = MLOS_TRY(probe::Try(program, request));
  if (!verdict.status.ok() && !verdict.lasting && SteadyClock::now() >= deadline) {
    return {Reason::kDeadlineExceeded, "the deadline passed during the trial load of the model"};
  }
  if (verdict.lasting) {
    const Status put = registry_.PutTrial(
        key, {.passed = verdict.status.ok(), .message = std::string(verdict.status.message())});
    if (!put.ok()) Log(LogLevel::kWarning, "verdict of a trial not kept", {LogField(put)});
  }
  return OfPath(std::move(verdict.status));
}

}  // namespace mlos::catalog
