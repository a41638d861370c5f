// SPDX-License-Identifier: MIT
#pragma once

#include <atomic>
#include <cstdint>

namespace mlos::scheduler {

/// What the scheduler knows of one model: how long a run takes and how many requests wait. Runs of
/// one model may overlap. Thread-safe.
class Lane {
 public:
  /// Exponential moving average over the last runs, an eighth for the newest; 0 before the first.
  std::int64_t run_time_us() const { return run_time_us_.load(std::memory_order_relaxed); }
  void RecordRunTime(std::int64_t run_time_us) {
    const std::int64_t counted = WithoutPreemption(run_time_us);
    const std::int64_t old = run_time_us_.load(std::memory_order_relaxed);
    // A lost update between two threads changes an average by one sample: not worth a loop. Never 0
    // again: that means unknown.
    const std::int64_t average = old == 0 ? counted : old + (counted - old) / kWeight;
    run_time_us_.store(average > 0 ? average : 1, std::memory_order_relaxed);
  }

  /// Requests that wait in the queue.
  std::uint32_t waiting() const { return waiting_.load(std::memory_order_relaxed); }

 private:
  friend class Scheduler;
  static constexpr std::int64_t kWeight = 8;
  static constexpr std::int64_t kPreemptionUsMax = 10'000;

  // A lone longer run is a thread that lost its core for a while, not a slow model: of two runs in
  // a row the shorter one counts.
  std::int64_t WithoutPreemption(std::int64_t run_time_us) {
    const std::int64_t before = last_run_time_us_.load(std::memory_order_relaxed);
    last_run_time_us_.store(run_time_us, std::memory_order_relaxed);
    const bool lone = before != 0 && before < run_time_us && run_time_us <= kPreemptionUsMax;
    return lone ? before : run_time_us;
  }

  std::atomic<std::int64_t> last_run_time_us_{0};
  std::atomic<std::int64_t> run_time_us_{0};
  std::atomic<std::uint32_t> waiting_{0};
};

}  // namespace mlos::scheduler
