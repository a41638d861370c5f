// SPDX-License-Identifier: MIT
#include "api/oip/statistics.h"

#include <algorithm>

namespace mlos::api::oip {
namespace {

constexpr std::uint64_t kNanosecondsPerMicrosecond = 1000;

}  // namespace

Duration DurationOf(const metrics::BatchStats& batch) {
  return {batch.count, batch.run_time_us * kNanosecondsPerMicrosecond};
}

InferenceStatistics StatisticsOf(const metrics::ModelStats& stats) {
  const std::uint64_t queue_us = stats.queue_time.sum_us;
  const std::uint64_t run_us = stats.run_time.sum_us;
  std::uint64_t failed = 0;
  for (const metrics::ErrorCount& error : stats.errors) failed += error.count;
  return {
      .success = {stats.success_count, (queue_us + run_us) * kNanosecondsPerMicrosecond},
      .fail = {failed, stats.failure_time_us * kNanosecondsPerMicrosecond},
      .queue = {stats.queue_time.count, queue_us * kNanosecondsPerMicrosecond},
      .compute_infer = {stats.run_time.count, run_us * kNanosecondsPerMicrosecond},
  };
}

metrics::ModelStats CountsOf(std::string_view model_id,
                             const std::vector<metrics::ModelStats>& stats) {
  const auto counted =
      std::find_if(stats.begin(), stats.end(),
                   [&](const metrics::ModelStats& item) { return item.model_id == model_id; });
  return counted != stats.end() ? *counted : metrics::ModelStats();
}

}  // namespace mlos::api::oip
