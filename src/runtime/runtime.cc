// SPDX-License-Identifier: MIT
#include "runtime/runtime.h"

#include <atomic>
#include <chrono>
#include <set>
#include <utility>

#include "base/log.h"
#include "base/threads.h"
#include "catalog/models.h"
#include "catalog/plugin_table.h"
#include "registry/registry.h"
#include "runtime/inferences.h"
#include "runtime/loading_queue.h"
#include "runtime/scrubber.h"
#include "scheduler/scheduler.h"
#include "sequence/reaper.h"
#include "store/copies.h"
#include "store/packages.h"

namespace mlos::runtime {
namespace {

namespace fs = std::filesystem;

// How long the runs of a model may go on that is unloaded or removed, and how long they may take to
// stop after that.
constexpr std::chrono::seconds kFinishTime{5};
constexpr std::chrono::seconds kStopTime{1};

// Whoever does not want to wait so long leaves the runs less: a quarter of the time is for
// stopping.
Deadline FinishBy(Deadline deadline) {
  const SteadyClock::time_point now = SteadyClock::now();
  if (deadline - now >= kFinishTime + kStopTime) return now + kFinishTime;
  return now + std::max(deadline - now, Deadline::duration::zero()) * 3 / 4;
}

scheduler::BatchOptions BatchingOf(const RuntimeOptions& options) {
  return {.max_batch_size = options.max_batch_size,
          .max_queue_delay_us = options.max_queue_delay_us,
          .slots = scheduler::SlotsFor(ThreadsOrCores(options.compute_threads),
                                       ThreadsOrCores(options.intra_op_threads))};
}

Status Draining() { return {Reason::kDraining, "Core is shutting down"}; }

PathPolicy ModelPolicy(const RuntimeOptions& options) {
  return options.model_roots.empty() ? PathPolicy::Anywhere()
                                     : PathPolicy::Below(options.model_roots);
}

std::set<fs::path> ServedPaths(const std::vector<registry::ModelRecord>& records) {
  std::set<fs::path> paths;
  for (const registry::ModelRecord& record : records) paths.insert(record.served_path);
  return paths;
}

store::OwnedFolders::IsUsed UsedBy(const std::vector<registry::ModelRecord>& records) {
  std::set<std::string> names;
  for (const registry::ModelRecord& record : records) {
    names.insert(store::Copies::NameOf(record.digest));
  }
  return [names = std::move(names)](const std::string& name) { return names.contains(name); };
}

}  // namespace

/// The parts, in the order in which they are built; each needs only those before it.
class Runtime::Impl {
 public:
  static Result<std::unique_ptr<Impl>> Create(const RuntimeOptions& options) {
    auto registry = MLOS_TRY(registry::Registry::Open(options.state_dir / "registry.db"));
    std::vector<registry::ModelRecord> records = MLOS_TRY(registry->Models());
    auto packages =
        MLOS_TRY(store::Packages::Open(options.state_dir / "packages", ServedPaths(records)));
    auto copies = MLOS_TRY(store::Copies::Open(options.state_dir / "served", UsedBy(records),
                                               options.model_copies_bytes_max));
    auto plugins = MLOS_TRY(catalog::PluginTable::Create(
        {options.plugin_dirs, options.intra_op_threads, options.arena_bytes_max}, *registry));
    std::unique_ptr<Impl> impl(new Impl(options, std::move(registry), std::move(packages),
                                        std::move(copies), std::move(plugins)));
    impl->models.Adopt(std::move(records));
    return impl;
  }

  const std::unique_ptr<registry::Registry> registry;
  const std::unique_ptr<store::Packages> packages;
  const std::unique_ptr<store::Copies> copies;
  const std::unique_ptr<catalog::PluginTable> plugins;
  // Before whatever could hold bytes of it.
  resource::ByteBudget budget;
  resource::Accounts accounts{budget};
  metrics::Stats stats;
  const metrics::Detail metrics_detail;
  // Before the models whose sequences it watches.
  sequence::Reaper reaper;
  catalog::ModelTable table;
  // Told by the table.
  LoadingQueue loading;
  // Ends the trials of models, and with them the registrations that wait for those.
  std::atomic<bool> stopped{false};
  std::atomic<bool> tried{false};
  catalog::Models models;
  // Destroyed first: its jobs use everything else.
  scheduler::Scheduler scheduler;
  Inferences inferences{scheduler, stats};
  Scrubber scrubber;

  /// Waits until a model that was taken out of the table has no runs left.
  Status Retire(const std::shared_ptr<catalog::ServedModel>& served, Deadline deadline) {
    if (served == nullptr) return OkStatus();
    const Deadline finish_by = FinishBy(deadline);
    const std::uint32_t left =
        scheduler.Halt(served->runner(), finish_by, std::min(finish_by + kStopTime, deadline));
    if (left == 0) return OkStatus();
    Log(LogLevel::kError, "runs of an unloaded model have not stopped",
        {{"model", served->model_id()}, {"runs", left}});
    return {Reason::kModelInUse,
            "the model is taken out of service, but " + std::to_string(left) +
                " of its runs did not stop when they were told to: what they use is free when they "
                "end, or with Core"};
  }

 private:
  Impl(const RuntimeOptions& options, std::unique_ptr<registry::Registry> opened_registry,
       std::unique_ptr<store::Packages> opened_packages,
       std::unique_ptr<store::Copies> opened_copies,
       std::unique_ptr<catalog::PluginTable> created_plugins)
      : registry(std::move(opened_registry)),
        packages(std::move(opened_packages)),
        copies(std::move(opened_copies)),
        plugins(std::move(created_plugins)),
        budget(options.in_flight_bytes_max),
        metrics_detail(options.metrics_full ? metrics::Detail::kAll : metrics::Detail::kFew),
        reaper(std::chrono::milliseconds(options.sequence_idle_timeout_ms)),
        loading(options.queue_length_max),
        models(*registry, *packages, *copies, table, *plugins, stats,
               catalog::ModelFinder(ModelPolicy(options), *packages, *copies,
                                    options.state_dir / "digests"),
               catalog::ModelLoader(
                   *registry, {options.probe_program, options.probe_timeout_ms, &stopped},
                   options.arena_bytes_max, ThreadsOrCores(options.compute_threads),
                   BatchingOf(options), {.sequences_max = options.sequences_max}, reaper, budget)),
        scheduler(
            {.threads = options.compute_threads,
             .queue_length_max = options.queue_length_max,
             .on_given_up = [this](const scheduler::ModelQueue& queue) { models.GiveUp(queue); }}),
        scrubber(std::chrono::seconds(options.scrub_interval_s),
                 [this](const std::atomic<bool>& stop) { models.CheckFiles(stop); }) {
    table.WatchSettled([this](std::string_view model_id) { loading.Settled(model_id); });
  }
};

Result<std::unique_ptr<Runtime>> Runtime::Create(const RuntimeOptions& options) {
  auto impl = MLOS_TRY(Impl::Create(options));
  return std::unique_ptr<Runtime>(new Runtime(std::move(impl)));
}

Runtime::Runtime(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
Runtime::~Runtime() = default;

void Runtime::LoadRegistered() {
  impl_->plugins->LoadRegistered();
  impl_->models.LoadRegistered(impl_->stopped);
  impl_->tried.store(true);
}

bool Runtime::ready() const { return impl_->tried.load() && !impl_->scheduler.draining(); }

Result<catalog::RegisterModelOutcome> Runtime::RegisterModel(
    const catalog::RegisterModelRequest& request, Deadline deadline) {
  if (impl_->scheduler.draining()) return Draining();
  return impl_->models.Register(request, deadline);
}

Result<std::optional<catalog::ModelInfo>> Runtime::FindRegistered(
    const catalog::RegisterModelRequest& request) {
  if (impl_->scheduler.draining()) return Draining();
  return impl_->models.FindRegistered(request);
}

Result<catalog::ModelInfo> Runtime::GetModel(std::string_view model_id) const {
  return catalog::InfoOf(MLOS_TRY(impl_->table.Get(model_id)));
}

std::vector<catalog::ModelInfo> Runtime::ListModels() const {
  std::vector<catalog::ModelInfo> infos;
  for (const catalog::ModelEntry& entry : impl_->table.List())
    infos.push_back(catalog::InfoOf(entry));
  return infos;
}

Result<std::string> Runtime::ResolveModel(std::string_view name, std::string_view version) const {
  return impl_->table.Resolve(name, version);
}

Status Runtime::RemoveModel(std::string_view model_id, Deadline deadline) {
  return impl_->Retire(MLOS_TRY(impl_->models.Remove(model_id)), deadline);
}

Result<catalog::ModelInfo> Runtime::LoadModel(std::string_view model_id, Deadline deadline) {
  if (impl_->scheduler.draining()) return Draining();
  return impl_->models.Load(model_id, deadline);
}

Result<catalog::ModelInfo> Runtime::UnloadModel(std::string_view model_id, Deadline deadline) {
  MLOS_TRY(impl_->Retire(MLOS_TRY(impl_->models.Unload(model_id)), deadline));
  return GetModel(model_id);
}

Result<catalog::PluginInfo> Runtime::RegisterPlugin(const catalog::RegisterPluginRequest& request) {
  if (impl_->scheduler.draining()) return Draining();
  return impl_->plugins->Register(request);
}

Result<catalog::PluginInfo> Runtime::GetPlugin(std::string_view plugin_id) const {
  catalog::PluginInfo info = MLOS_TRY(impl_->plugins->Get(plugin_id));
  for (const catalog::ModelEntry& entry : impl_->table.List()) {
    if (entry.record.plugin_id == info.id) info.model_ids.push_back(entry.record.model_id);
  }
  return info;
}

std::vector<catalog::PluginInfo> Runtime::ListPlugins() const {
  std::vector<catalog::PluginInfo> infos = impl_->plugins->List();
  for (const catalog::ModelEntry& entry : impl_->table.List()) {
    for (catalog::PluginInfo& info : infos) {
      if (entry.record.plugin_id == info.id) info.model_ids.push_back(entry.record.model_id);
    }
  }
  return infos;
}

Status Runtime::RemovePlugin(std::string_view plugin_id) {
  return impl_->models.RemovePlugin(plugin_id);
}

Result<Ticket> Runtime::Admit(const Caller& caller, std::string_view model_id) {
  if (impl_->scheduler.draining()) return Draining();
  Result<std::shared_ptr<catalog::ServedModel>> model = impl_->table.Acquire(model_id);
  if (model.ok()) return Ticket(impl_->inferences, *std::move(model), caller);
  if (model.status().reason() != Reason::kModelLoading) {
    impl_->stats.RecordRefusal(model_id, model.status());
  }
  return std::move(model).status();
}

void Runtime::AwaitLoad(std::string_view model_id, Deadline until,
                        std::shared_ptr<const engine::Cancellation> cancellation,
                        std::function<void(Status)> resume) {
  const std::string id(model_id);
  impl_->loading.Wait(id, until, std::move(cancellation),
                      [this, id, resume = std::move(resume)](Status outcome) {
                        if (!outcome.ok()) impl_->stats.RecordRefusal(id, outcome);
                        resume(std::move(outcome));
                      });
  // It may have been loaded before the request began to wait.
  const auto model = impl_->table.Acquire(id);
  if (model.ok() || model.status().reason() != Reason::kModelLoading) impl_->loading.Settled(id);
}

metrics::Stats& Runtime::stats() { return impl_->stats; }

std::string Runtime::PrometheusText() const {
  metrics::Gauges gauges{.bytes_in_flight = impl_->budget.used(),
                         .bytes_in_flight_max = impl_->budget.limit(),
                         .sequences = impl_->reaper.count(),
                         .overdue_runs = impl_->scheduler.overdue(),
                         .overdue_loads = impl_->models.overdue_loads()};
  for (const catalog::ModelEntry& entry : impl_->table.List()) {
    const std::uint32_t waiting = entry.served != nullptr
                                      ? entry.served->runner().waiting()
                                      : impl_->loading.waiting(entry.record.model_id);
    if (entry.served == nullptr && waiting == 0) continue;
    gauges.queues.push_back({entry.record.model_id, waiting});
  }
  for (const catalog::PluginInfo& plugin : impl_->plugins->List()) {
    for (const engine::Gauge& gauge : plugin.gauges) {
      gauges.plugins.push_back({plugin.id, gauge.name, gauge.value});
    }
  }
  return impl_->stats.PrometheusText(gauges, impl_->metrics_detail);
}

resource::Accounts& Runtime::accounts() { return impl_->accounts; }

void Runtime::StopAwaitingLoads() { impl_->loading.Close(); }

bool Runtime::Drain(Deadline deadline) {
  impl_->loading.Close();
  const bool drained = impl_->scheduler.Drain(deadline);
  impl_->stopped.store(true);
  return drained;
}

}  // namespace mlos::runtime
