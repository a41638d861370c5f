// SPDX-License-Identifier: MIT
#include "metrics/counts.h"

#include <ctime>

namespace mlos::metrics {
namespace {

// The time of the kernel's last tick, at most some milliseconds ago. It is cheap, and every
// inference asks for it.
std::int64_t UnixMillisecondsNow() {
  timespec now{};
  clock_gettime(CLOCK_REALTIME_COARSE, &now);
  return std::int64_t{now.tv_sec} * 1000 + now.tv_nsec / 1'000'000;
}

}  // namespace

void ModelCounts::Record(const Status& outcome, std::int64_t queue_time_us,
                         std::int64_t run_time_us) {
  outcomes_.Record(outcome);
  last_inference_unix_ms_.store(UnixMillisecondsNow(), std::memory_order_relaxed);
  if (!outcome.ok()) {
    // Requests that never ran would only hide the times of the others.
    failure_time_us_.fetch_add(static_cast<std::uint64_t>(queue_time_us + run_time_us),
                               std::memory_order_relaxed);
    return;
  }
  run_time_.Record(run_time_us);
  queue_time_.Record(queue_time_us);
}

}  // namespace mlos::metrics
