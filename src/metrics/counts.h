// SPDX-License-Identifier: MIT
#pragma once

#include <atomic>
#include <cstdint>

#include "base/status.h"
#include "metrics/latency_histogram.h"
#include "metrics/outcome_counts.h"
#include "metrics/run_counts.h"

namespace mlos::metrics {

/// Counts of one route of a door. Thread-safe, without a lock.
class RouteCounts {
 public:
  void Record(const Status& outcome, std::int64_t response_time_us) {
    outcomes_.Record(outcome);
    response_time_.Record(response_time_us);
  }

  const OutcomeCounts& outcomes() const { return outcomes_; }
  const LatencyHistogram& response_time() const { return response_time_; }

 private:
  OutcomeCounts outcomes_;
  LatencyHistogram response_time_;
};

/// Counts of one model. Thread-safe; without a lock but for runs of many items.
class ModelCounts {
 public:
  /// Records one request to the model, also a refused one. `queue_time_us` and `run_time_us` are 0
  /// if it never waited or ran.
  void Record(const Status& outcome, std::int64_t queue_time_us, std::int64_t run_time_us);
  /// One run of the model, for so many items of one request or of several.
  void RecordRun(std::uint64_t items, std::int64_t run_time_us) {
    runs_.Record(items, run_time_us);
  }

  const OutcomeCounts& outcomes() const { return outcomes_; }
  RunStats runs() const { return runs_.Get(); }
  const LatencyHistogram& run_time() const { return run_time_; }
  const LatencyHistogram& queue_time() const { return queue_time_; }
  /// Time that failed requests waited and ran, together.
  std::uint64_t failure_time_us() const { return failure_time_us_.load(std::memory_order_relaxed); }
  /// When the last one was answered, in milliseconds since the Unix epoch; 0: never.
  std::int64_t last_inference_unix_ms() const {
    return last_inference_unix_ms_.load(std::memory_order_relaxed);
  }

 private:
  OutcomeCounts outcomes_;
  LatencyHistogram run_time_;
  LatencyHistogram queue_time_;
  std::atomic<std::uint64_t> failure_time_us_{0};
  std::atomic<std::int64_t> last_inference_unix_ms_{0};
  RunCounts runs_;
};

}  // namespace mlos::metrics
