// SPDX-License-Identifier: MIT
#include "metrics/stats.h"

#include <atomic>
#include <map>
#include <utility>

#include "base/clock.h"
#include "base/mutex.h"
#include "metrics/exposition.h"
#include "metrics/process.h"

namespace mlos::metrics {
namespace {

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

// References to their elements stay valid.
using Routes = std::map<std::string, RouteCounts, std::less<>>;

void AddCount(Exposition& page, std::string_view name, std::string_view help, Labels labels,
              std::uint64_t count) {
  page.AddCounter(name, help, labels, static_cast<double>(count));
}

void AddDoor(Exposition& page, const std::string& door, const Routes& routes) {
  const std::string requests = "mlos_" + door + "_requests_total";
  const std::string duration = "mlos_" + door + "_request_duration_seconds";
  for (const auto& [route, counts] : routes) {
    constexpr std::string_view kHelp = "Requests by route and outcome.";
    // A door may have looked up routes that nobody has asked for.
    if (counts.response_time().count() == 0) continue;
    AddCount(page, requests, kHelp, {{"route", route}, {"outcome", "OK"}},
             counts.outcomes().successes());
    counts.outcomes().ForEachFailure([&](Reason reason, std::uint64_t count) {
      AddCount(page, requests, kHelp, {{"route", route}, {"outcome", ToString(reason)}}, count);
    });
    page.AddLatency(duration, "Time from a request's first byte to its answer.", {{"route", route}},
                    counts.response_time(), Detail::kAll);
  }
}

/// A model's plugin and its counts. The code that runs the model shares the counts.
struct KnownModel {
  std::string plugin_id;
  std::shared_ptr<ModelCounts> counts;
};

/// Calls visit(outcome, count) for every way in which requests to a model ended; with few details,
/// only for those by which one sees that a model is too slow, and for all others together.
template <typename Visit>
void ForEachOutcome(const OutcomeCounts& outcomes, Detail detail, Visit visit) {
  std::uint64_t others = 0;
  visit("OK", outcomes.successes());
  outcomes.ForEachFailure([&](Reason reason, std::uint64_t count) {
    const bool shown = reason == Reason::kOverloaded || reason == Reason::kDeadlineExceeded;
    if (shown || detail == Detail::kAll) {
      visit(ToString(reason), count);
    } else {
      others += count;
    }
  });
  if (others != 0) visit("OTHER", others);
}

// With few details these are 4 outcomes, a count of runs and 9 series for each latency, and
// AddGauges adds one: 24.
void AddModel(Exposition& page, const std::string& model_id, const KnownModel& model,
              Detail detail) {
  const std::string& plugin_id = model.plugin_id;
  const ModelCounts& counts = *model.counts;
  const auto add = [&](std::string_view outcome, std::uint64_t count) {
    AddCount(page, "mlos_inferences_total", "Inference requests by model and outcome.",
             {{"model", model_id}, {"plugin", plugin_id}, {"outcome", outcome}}, count);
  };
  ForEachOutcome(counts.outcomes(), detail, add);
  AddCount(page, "mlos_model_runs_total", "Runs of a model; requests that share one count it once.",
           {{"model", model_id}, {"plugin", plugin_id}}, counts.runs().count);
  page.AddLatency("mlos_inference_duration_seconds", "Time a model ran for a request.",
                  {{"model", model_id}, {"plugin", plugin_id}}, counts.run_time(), detail);
  page.AddLatency("mlos_inference_queue_duration_seconds",
                  "Time a request waited before its model ran.",
                  {{"model", model_id}, {"plugin", plugin_id}}, counts.queue_time(), detail);
}

void AddGauges(Exposition& page, const Gauges& gauges, std::int64_t in_flight) {
  page.AddGauge("mlos_in_flight_bytes", "Memory held for requests in progress.", {},
                static_cast<double>(gauges.bytes_in_flight));
  page.AddGauge("mlos_in_flight_limit_bytes", "Memory that requests in progress may hold.", {},
                static_cast<double>(gauges.bytes_in_flight_max));
  page.AddGauge("mlos_inferences_in_flight", "Inference requests that wait or run.", {},
                static_cast<double>(in_flight));
  page.AddGauge("mlos_sequences", "Open sequences, whose state Core keeps.", {},
                static_cast<double>(gauges.sequences));
  page.AddGauge("mlos_overdue_runs", "Runs that were told to stop and have not.", {},
                static_cast<double>(gauges.overdue_runs));
  page.AddGauge("mlos_overdue_loads", "Loads of models that are over their time and go on.", {},
                static_cast<double>(gauges.overdue_loads));
  for (const QueueGauge& queue : gauges.queues) {
    page.AddGauge("mlos_model_queue_length", "Requests that wait for the model.",
                  {{"model", queue.model_id}}, static_cast<double>(queue.waiting));
  }
  for (const PluginGauge& gauge : gauges.plugins) {
    page.AddGauge("mlos_plugin_value", "Gauges that a plugin sets, under its own names.",
                  {{"plugin", gauge.plugin_id}, {"name", gauge.name}}, gauge.value);
  }
}

}  // namespace

class Stats::Impl {
 public:
  /// Counts of a route; those of too many routes share one entry.
  RouteCounts& Route(std::string_view door, std::string_view route) {
    constexpr std::size_t kRoutesMax = 64;
    const MutexLock lock(mutex_);
    auto entry = doors_.find(door);
    if (entry == doors_.end()) entry = doors_.try_emplace(std::string(door)).first;
    Routes& routes = entry->second;
    if (const auto known = routes.find(route); known != routes.end()) return known->second;
    // The limit bounds the labels of a scrape, whatever a door passes.
    return routes[std::string(routes.size() < kRoutesMax ? route : "other")];
  }

  void AddModel(std::string_view model_id, std::string_view plugin_id,
                std::shared_ptr<ModelCounts> counts) {
    const MutexLock lock(mutex_);
    KnownModel& model = models_[std::string(model_id)];
    model.plugin_id = plugin_id;
    if (counts != nullptr) model.counts = std::move(counts);
    if (model.counts == nullptr) model.counts = std::make_shared<ModelCounts>();
  }
  void ForgetModel(std::string_view model_id) {
    const MutexLock lock(mutex_);
    if (const auto known = models_.find(model_id); known != models_.end()) models_.erase(known);
  }
  /// Null if the model was not added.
  std::shared_ptr<ModelCounts> Model(std::string_view model_id) {
    const MutexLock lock(mutex_);
    const auto known = models_.find(model_id);
    return known == models_.end() ? nullptr : known->second.counts;
  }

  std::vector<ModelStats> Models() const {
    const MutexLock lock(mutex_);
    std::vector<ModelStats> all;
    for (const auto& [model_id, model] : models_) {
      const ModelCounts& counts = *model.counts;
      all.push_back({model_id, model.plugin_id, counts.outcomes().successes(),
                     ErrorsOf(counts.outcomes()), Summarize(counts.run_time()),
                     Summarize(counts.queue_time()), counts.failure_time_us(),
                     counts.last_inference_unix_ms(), counts.runs()});
    }
    return all;
  }

  /// Adds up all routes of all doors.
  void AddTo(OutcomeCounts& outcomes, LatencyHistogram& response_time) const {
    const MutexLock lock(mutex_);
    for (const auto& [door, routes] : doors_) {
      for (const auto& [route, counts] : routes) {
        outcomes.Add(counts.outcomes());
        response_time.Add(counts.response_time());
      }
    }
  }

  void AddTo(Exposition& page, Detail detail) const {
    const MutexLock lock(mutex_);
    for (const auto& [door, routes] : doors_) AddDoor(page, door, routes);
    for (const auto& [model_id, model] : models_) metrics::AddModel(page, model_id, model, detail);
  }

  std::atomic<std::int64_t> in_flight{0};
  double uptime_seconds() const {
    constexpr double kSecond = 1e6;
    return static_cast<double>(MicrosecondsBetween(start_, SteadyClock::now())) / kSecond;
  }

 private:
  const SteadyClock::time_point start_ = SteadyClock::now();
  // Guards the tables, not the counts in them: those are atomic and recorded without this lock.
  mutable Mutex mutex_;
  std::map<std::string, Routes, std::less<>> doors_ GUARDED_BY(mutex_);
  std::map<std::string, KnownModel, std::less<>> models_ GUARDED_BY(mutex_);
};

Stats::Stats() : impl_(std::make_unique<Impl>()) {}
Stats::~Stats() = default;

RouteCounts& Stats::Route(std::string_view door, std::string_view route) {
  return impl_->Route(door, route);
}

void Stats::RecordRequest(std::string_view door, std::string_view route, const Status& outcome,
                          std::int64_t response_time_us) {
  Route(door, route).Record(outcome, response_time_us);
}

void Stats::AddModel(std::string_view model_id, std::string_view plugin_id,
                     std::shared_ptr<ModelCounts> counts) {
  impl_->AddModel(model_id, plugin_id, std::move(counts));
}

std::shared_ptr<ModelCounts> Stats::CountsOf(std::string_view model_id) {
  std::shared_ptr<ModelCounts> counts = impl_->Model(model_id);
  return counts != nullptr ? counts : std::make_shared<ModelCounts>();
}

void Stats::RecordRefusal(std::string_view model_id, const Status& why) {
  if (const auto counts = impl_->Model(model_id)) counts->Record(why, 0, 0);
}

void Stats::EnterInference() { impl_->in_flight.fetch_add(1, std::memory_order_relaxed); }
void Stats::LeaveInference() { impl_->in_flight.fetch_sub(1, std::memory_order_relaxed); }

void Stats::ForgetModel(std::string_view model_id) { impl_->ForgetModel(model_id); }

ServerStats Stats::Server() const {
  OutcomeCounts outcomes;
  LatencyHistogram response_time;
  impl_->AddTo(outcomes, response_time);
  const std::uint64_t successes = outcomes.successes();
  const std::uint64_t failures = outcomes.failures();
  return {
      .total_requests = successes + failures,
      .successful_requests = successes,
      .failed_requests = failures,
      .errors = ErrorsOf(outcomes),
      .response_time = Summarize(response_time),
      .uptime_seconds = impl_->uptime_seconds(),
  };
}

std::vector<ModelStats> Stats::Models() const { return impl_->Models(); }

std::string Stats::PrometheusText(const Gauges& gauges, Detail detail) const {
  Exposition page;
  page.AddGauge("mlos_uptime_seconds", "Time since Core started.", {}, impl_->uptime_seconds());
  AddProcess(page);
  AddGauges(page, gauges, impl_->in_flight.load());
  impl_->AddTo(page, detail);
  return page.Text();
}

}  // namespace mlos::metrics
