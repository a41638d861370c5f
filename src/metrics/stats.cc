// SPDX-License-Identifier: MIT
#include "metrics/stats.h"

#include <unistd.h>

#include <atomic>
#include <ctime>
#include <fstream>
#include <map>
#include <utility>

#include "base/clock.h"
#include "base/mutex.h"
#include "metrics/exposition.h"
#include "metrics/latency_histogram.h"
#include "metrics/outcome_counts.h"

namespace mlos::metrics {
namespace {

// Of the last tick of the kernel, some milliseconds ago: every inference asks.
std::int64_t UnixMillisecondsNow() {
  timespec now{};
  clock_gettime(CLOCK_REALTIME_COARSE, &now);
  return std::int64_t{now.tv_sec} * 1000 + now.tv_nsec / 1'000'000;
}

struct RouteCounts {
  OutcomeCounts outcomes;
  LatencyHistogram response_time;
};

struct ModelCounts {
  std::string plugin_id;  // of the last request; guarded by the mutex of the table
  OutcomeCounts outcomes;
  LatencyHistogram run_time;
  LatencyHistogram queue_time;
  std::atomic<std::uint64_t> failure_time_us{0};
  std::atomic<std::int64_t> last_inference_unix_ms{0};
  RunCounts runs;
};

// Counts are shared with the threads that record, so that these do so outside the lock.
template <typename T>
using Table = std::map<std::string, std::shared_ptr<T>, std::less<>>;

LatencySummary Summarize(const LatencyHistogram& latency) {
  const std::uint64_t count = latency.count();
  if (count == 0) return {};
  return {
      .count = count,
      .sum_us = latency.sum_us(),
      .mean_us = static_cast<double>(latency.sum_us()) / static_cast<double>(count),
      .p50_us = latency.QuantileUs(0.5),
      .p90_us = latency.QuantileUs(0.9),
      .p99_us = latency.QuantileUs(0.99),
      .max_us = static_cast<double>(latency.max_us()),
  };
}

std::vector<ErrorCount> ErrorsOf(const OutcomeCounts& outcomes) {
  std::vector<ErrorCount> errors;
  outcomes.ForEachFailure(
      [&](Reason reason, std::uint64_t count) { errors.push_back({reason, count}); });
  return errors;
}

// Resident pages are the second number of /proc/self/statm.
double ResidentBytes() {
  std::ifstream statm("/proc/self/statm");
  std::uint64_t total = 0;
  std::uint64_t resident = 0;
  statm >> total >> resident;
  return static_cast<double>(resident) * static_cast<double>(::sysconf(_SC_PAGESIZE));
}

void AddDoor(Exposition& page, const std::string& door, const Table<RouteCounts>& routes) {
  const std::string requests = "mlos_" + door + "_requests_total";
  const std::string duration = "mlos_" + door + "_request_duration_seconds";
  for (const auto& [route, counts] : routes) {
    constexpr std::string_view kHelp = "Requests by route and outcome.";
    page.AddCounter(requests, kHelp, {{"route", route}, {"outcome", "OK"}},
                    counts->outcomes.successes());
    counts->outcomes.ForEachFailure([&](Reason reason, std::uint64_t count) {
      page.AddCounter(requests, kHelp, {{"route", route}, {"outcome", ToString(reason)}}, count);
    });
    page.AddLatency(duration, "Time from a request's first byte to its answer.", {{"route", route}},
                    counts->response_time);
  }
}

void AddModel(Exposition& page, const std::string& model_id, const ModelCounts& counts) {
  constexpr std::string_view kName = "mlos_inferences_total";
  constexpr std::string_view kHelp = "Inference requests by model and outcome.";
  const std::string& plugin_id = counts.plugin_id;
  page.AddCounter(kName, kHelp, {{"model", model_id}, {"plugin", plugin_id}, {"outcome", "OK"}},
                  counts.outcomes.successes());
  counts.outcomes.ForEachFailure([&](Reason reason, std::uint64_t count) {
    page.AddCounter(kName, kHelp,
                    {{"model", model_id}, {"plugin", plugin_id}, {"outcome", ToString(reason)}},
                    count);
  });
  page.AddCounter("mlos_model_runs_total",
                  "Runs of a model; requests that share one count it once.",
                  {{"model", model_id}, {"plugin", plugin_id}}, counts.runs.Get().count);
  page.AddLatency("mlos_inference_duration_seconds", "Time a model ran for a request.",
                  {{"model", model_id}, {"plugin", plugin_id}}, counts.run_time);
  page.AddLatency("mlos_inference_queue_duration_seconds",
                  "Time a request waited before its model ran.",
                  {{"model", model_id}, {"plugin", plugin_id}}, counts.queue_time);
}

void AddGauges(Exposition& page, const Gauges& gauges, std::int64_t in_flight) {
  page.AddGauge("mlos_in_flight_bytes", "Memory held for requests being served.", {},
                static_cast<double>(gauges.bytes_in_flight));
  page.AddGauge("mlos_in_flight_limit_bytes", "Memory that requests being served may hold.", {},
                static_cast<double>(gauges.bytes_in_flight_max));
  page.AddGauge("mlos_inferences_in_flight", "Inference requests that wait or run.", {},
                static_cast<double>(in_flight));
  for (const PluginGauge& gauge : gauges.plugins) {
    page.AddGauge("mlos_plugin_value", "What a plugin measures of itself, by its own names.",
                  {{"plugin", gauge.plugin_id}, {"name", gauge.name}}, gauge.value);
  }
}

}  // namespace

class Stats::Impl {
 public:
  /// Counts of a route; those of too many routes share one entry.
  std::shared_ptr<RouteCounts> Route(std::string_view door, std::string_view route) {
    constexpr std::size_t kRoutesMax = 64;
    const MutexLock lock(mutex_);
    auto entry = doors_.find(door);
    if (entry == doors_.end()) entry = doors_.emplace(door, Table<RouteCounts>()).first;
    Table<RouteCounts>& routes = entry->second;
    if (const auto known = routes.find(route); known != routes.end()) return known->second;
    const std::string name(routes.size() < kRoutesMax ? route : "other");
    std::shared_ptr<RouteCounts>& counts = routes[name];
    if (counts == nullptr) counts = std::make_shared<RouteCounts>();
    return counts;
  }

  void AddModel(std::string_view model_id, std::string_view plugin_id) {
    const MutexLock lock(mutex_);
    auto entry = models_.find(model_id);
    if (entry == models_.end()) {
      entry = models_.emplace(model_id, std::make_shared<ModelCounts>()).first;
    }
    entry->second->plugin_id = plugin_id;
  }
  void ForgetModel(std::string_view model_id) {
    const MutexLock lock(mutex_);
    if (const auto known = models_.find(model_id); known != models_.end()) models_.erase(known);
  }
  /// Null where the model was not added.
  std::shared_ptr<ModelCounts> Model(std::string_view model_id, std::string_view plugin_id) {
    const MutexLock lock(mutex_);
    const auto known = models_.find(model_id);
    if (known == models_.end()) return nullptr;
    // What never got to a plugin leaves the one known.
    if (!plugin_id.empty()) known->second->plugin_id = plugin_id;
    return known->second;
  }

  std::vector<ModelStats> Models() const {
    const MutexLock lock(mutex_);
    std::vector<ModelStats> all;
    for (const auto& [model_id, counts] : models_) {
      all.push_back({model_id, counts->plugin_id, counts->outcomes.successes(),
                     ErrorsOf(counts->outcomes), Summarize(counts->run_time),
                     Summarize(counts->queue_time), counts->failure_time_us.load(),
                     counts->last_inference_unix_ms.load(), counts->runs.Get()});
    }
    return all;
  }

  void AddTo(Exposition& page) const {
    const MutexLock lock(mutex_);
    for (const auto& [door, routes] : doors_) AddDoor(page, door, routes);
    for (const auto& [model_id, counts] : models_) metrics::AddModel(page, model_id, *counts);
  }

  RouteCounts& all() { return all_; }
  std::atomic<std::int64_t> in_flight{0};
  double uptime_seconds() const {
    constexpr double kSecond = 1e6;
    return static_cast<double>(MicrosecondsBetween(start_, SteadyClock::now())) / kSecond;
  }

 private:
  const SteadyClock::time_point start_ = SteadyClock::now();
  RouteCounts all_;
  mutable Mutex mutex_;
  std::map<std::string, Table<RouteCounts>, std::less<>> doors_ GUARDED_BY(mutex_);
  Table<ModelCounts> models_ GUARDED_BY(mutex_);
};

Stats::Stats() : impl_(std::make_unique<Impl>()) {}
Stats::~Stats() = default;

void Stats::RecordRequest(std::string_view door, std::string_view route, const Status& outcome,
                          std::int64_t response_time_us) {
  const std::shared_ptr<RouteCounts> counts = impl_->Route(door, route);
  for (RouteCounts* target : {counts.get(), &impl_->all()}) {
    target->outcomes.Record(outcome);
    target->response_time.Record(response_time_us);
  }
}

void Stats::AddModel(std::string_view model_id, std::string_view plugin_id) {
  impl_->AddModel(model_id, plugin_id);
}

void Stats::RecordInference(std::string_view model_id, std::string_view plugin_id,
                            const Status& outcome, std::int64_t queue_time_us,
                            std::int64_t run_time_us) {
  const std::shared_ptr<ModelCounts> counts = impl_->Model(model_id, plugin_id);
  if (counts == nullptr) return;
  counts->outcomes.Record(outcome);
  counts->last_inference_unix_ms.store(UnixMillisecondsNow());
  if (!outcome.ok()) {
    // What never ran would only hide how long the others took.
    counts->failure_time_us.fetch_add(static_cast<std::uint64_t>(queue_time_us + run_time_us));
    return;
  }
  counts->run_time.Record(run_time_us);
  counts->queue_time.Record(queue_time_us);
}

void Stats::RecordRun(std::string_view model_id, std::uint64_t items, std::int64_t run_time_us) {
  if (const auto counts = impl_->Model(model_id, "")) counts->runs.Record(items, run_time_us);
}

void Stats::EnterInference() { impl_->in_flight.fetch_add(1, std::memory_order_relaxed); }
void Stats::LeaveInference() { impl_->in_flight.fetch_sub(1, std::memory_order_relaxed); }

void Stats::ForgetModel(std::string_view model_id) { impl_->ForgetModel(model_id); }

ServerStats Stats::Server() const {
  const RouteCounts& all = impl_->all();
  const std::uint64_t successes = all.outcomes.successes();
  const std::uint64_t failures = all.outcomes.failures();
  return {
      .total_requests = successes + failures,
      .successful_requests = successes,
      .failed_requests = failures,
      .errors = ErrorsOf(all.outcomes),
      .response_time = Summarize(all.response_time),
      .uptime_seconds = impl_->uptime_seconds(),
  };
}

std::vector<ModelStats> Stats::Models() const { return impl_->Models(); }

std::string Stats::PrometheusText(const Gauges& gauges) const {
  Exposition page;
  page.AddGauge("mlos_uptime_seconds", "Time since Core started.", {}, impl_->uptime_seconds());
  page.AddGauge("process_resident_memory_bytes", "Resident memory size in bytes.", {},
                ResidentBytes());
  AddGauges(page, gauges, impl_->in_flight.load());
  impl_->AddTo(page);
  return page.Text();
}

}  // namespace mlos::metrics
