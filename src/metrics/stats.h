// SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/status.h"
#include "metrics/counts.h"
#include "metrics/exposition.h"

namespace mlos::metrics {

/// Percentiles of a latency, in microseconds, within 1/32 of their value (see
/// LatencyHistogram); all 0 if nothing was counted.
struct LatencySummary {
  std::uint64_t count = 0;
  std::uint64_t sum_us = 0;
  double mean_us = 0;
  double p50_us = 0;
  double p90_us = 0;
  double p99_us = 0;
  double max_us = 0;
};

struct ErrorCount {
  Reason reason;
  std::uint64_t count;
};

/// Counts of one model.
struct ModelStats {
  std::string model_id;
  std::string plugin_id;
  std::uint64_t success_count = 0;
  std::vector<ErrorCount> errors;
  LatencySummary run_time;
  LatencySummary queue_time;
  /// Time that failed requests waited and ran, together.
  std::uint64_t failure_time_us = 0;
  /// When the last one was answered, in milliseconds since the Unix epoch; 0: never.
  std::int64_t last_inference_unix_ms = 0;
  /// Requests that share a run count it once.
  RunStats runs;
};

/// A gauge that a plugin sets, under its own name.
struct PluginGauge {
  std::string plugin_id;
  std::string name;
  double value = 0;
};

/// Requests that wait for a model.
struct QueueGauge {
  std::string model_id;
  std::uint32_t waiting = 0;
};

/// Values that are measured at the moment of a scrape.
struct Gauges {
  std::uint64_t bytes_in_flight = 0;
  std::uint64_t bytes_in_flight_max = 0;
  std::int64_t sequences = 0;
  /// Runs that were told to stop and have not.
  std::uint32_t overdue_runs = 0;
  std::uint32_t overdue_loads = 0;
  std::vector<QueueGauge> queues;
  std::vector<PluginGauge> plugins;
};

/// Counts of every request that came through a door.
struct ServerStats {
  std::uint64_t total_requests = 0;
  std::uint64_t successful_requests = 0;
  std::uint64_t failed_requests = 0;
  std::vector<ErrorCount> errors;
  LatencySummary response_time;
  double uptime_seconds = 0;
};

/// Counts requests and times (prometheus-cpp behind), for GET /stats and GET /metrics. Code that
/// records often looks up its counts once and then records without a lock. Thread-safe.
///
/// Names from strangers never become labels: only added models do, and the first 64 route patterns
/// of each door.
class Stats {
 public:
  Stats();
  Stats(const Stats&) = delete;
  Stats& operator=(const Stats&) = delete;
  ~Stats();

  /// Counts of a route pattern ("/models/{id}/inference") of a door ("http"), which live as long as
  /// this.
  RouteCounts& Route(std::string_view door, std::string_view route);
  /// One request on such a route.
  void RecordRequest(std::string_view door, std::string_view route, const Status& outcome,
                     std::int64_t response_time_us);
  /// Begins to show the counts of a model: `counts`, or without them those it has, or new ones.
  void AddModel(std::string_view model_id, std::string_view plugin_id,
                std::shared_ptr<ModelCounts> counts = nullptr);
  /// Counts for a model that is about to be served: those it has, or new ones for AddModel.
  std::shared_ptr<ModelCounts> CountsOf(std::string_view model_id);
  /// One request to a model that is not served. Not counted if the model was not added.
  void RecordRefusal(std::string_view model_id, const Status& why);
  /// A request to a model waits or runs from the one to the other.
  void EnterInference();
  void LeaveInference();
  /// Forgets the time series of a model that was removed.
  void ForgetModel(std::string_view model_id);

  ServerStats Server() const;
  std::vector<ModelStats> Models() const;
  /// Prometheus text exposition format 0.0.4: the counts, what `gauges` say of now, and what the
  /// process uses. `detail` is that of the models' series.
  std::string PrometheusText(const Gauges& gauges, Detail detail = Detail::kFew) const;

 private:
  class Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace mlos::metrics
