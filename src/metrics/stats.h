// SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/status.h"
#include "metrics/run_counts.h"

namespace mlos::metrics {

/// Percentiles of a latency, in microseconds, within 1/32 of their value (see
/// LatencyHistogram); all 0 where nothing was counted.
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
  /// What failed requests waited and ran, together.
  std::uint64_t failure_time_us = 0;
  /// When the last one was answered, in milliseconds since the Unix epoch; 0: never.
  std::int64_t last_inference_unix_ms = 0;
  /// Requests that share a run count it once.
  RunStats runs;
};

/// What a plugin measures of itself, by its own names.
struct PluginGauge {
  std::string plugin_id;
  std::string name;
  double value = 0;
};

/// What is measured at the moment of a scrape.
struct Gauges {
  std::uint64_t bytes_in_flight = 0;
  std::uint64_t bytes_in_flight_max = 0;
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

/// Counts requests and times (prometheus-cpp behind), for GET /stats and GET
/// /metrics. Thread-safe; recording takes no lock that another request could hold for long.
///
/// What strangers can name is never a label: only models that were added and, of each door, the
/// first 64 route patterns.
class Stats {
 public:
  Stats();
  Stats(const Stats&) = delete;
  Stats& operator=(const Stats&) = delete;
  ~Stats();

  /// One request of a door ("http"), on the route pattern ("/models/{id}/inference").
  void RecordRequest(std::string_view door, std::string_view route, const Status& outcome,
                     std::int64_t response_time_us);
  /// Begins to count for a model; where it is counted for already, the counts stay.
  void AddModel(std::string_view model_id, std::string_view plugin_id);
  /// One request to a model, whoever refused it. Not counted where the model was not added.
  void RecordInference(std::string_view model_id, std::string_view plugin_id, const Status& outcome,
                       std::int64_t queue_time_us, std::int64_t run_time_us);
  /// One run of a model, for so many items of one request or of several. Not counted where the
  /// model was not added.
  void RecordRun(std::string_view model_id, std::uint64_t items, std::int64_t run_time_us);
  /// A request to a model waits or runs from the one to the other.
  void EnterInference();
  void LeaveInference();
  /// Forgets the time series of a model that was removed.
  void ForgetModel(std::string_view model_id);

  ServerStats Server() const;
  std::vector<ModelStats> Models() const;
  /// Prometheus text exposition format 0.0.4: the counts, and what `gauges` say of now.
  std::string PrometheusText(const Gauges& gauges) const;

 private:
  class Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace mlos::metrics
