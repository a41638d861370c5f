// SPDX-License-Identifier: MIT
#pragma once

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <map>
#include <vector>

#include "base/mutex.h"

namespace mlos::metrics {

/// Runs of a model with one number of items.
struct BatchStats {
  std::uint64_t batch_size = 0;
  std::uint64_t count = 0;
  std::uint64_t run_time_us = 0;
};

/// Runs of a model, each counted once however many requests shared it.
struct RunStats {
  std::uint64_t count = 0;
  std::uint64_t items = 0;
  /// By batch size, ascending.
  std::vector<BatchStats> batches;
};

/// Counts the runs of a model. Thread-safe; runs of few items are counted without a lock.
///
/// Callers decide how many items a request has, so the memory is bounded: of the larger sizes, the
/// first 256 have a count each and later ones share one.
class RunCounts {
 public:
  void Record(std::uint64_t items, std::int64_t run_time_us) {
    count_.fetch_add(1, std::memory_order_relaxed);
    items_.fetch_add(items, std::memory_order_relaxed);
    const auto time_us = static_cast<std::uint64_t>(run_time_us);
    if (items < few_.size()) {
      few_[items].count.fetch_add(1, std::memory_order_relaxed);
      few_[items].run_time_us.fetch_add(time_us, std::memory_order_relaxed);
    } else {
      RecordMany(items, time_us);
    }
  }

  RunStats Get() const {
    RunStats stats{.count = count_.load(std::memory_order_relaxed),
                   .items = items_.load(std::memory_order_relaxed)};
    for (std::size_t items = 0; items < few_.size(); ++items) {
      const std::uint64_t count = few_[items].count.load(std::memory_order_relaxed);
      if (count == 0) continue;
      stats.batches.push_back(
          {items, count, few_[items].run_time_us.load(std::memory_order_relaxed)});
    }
    const MutexLock lock(mutex_);
    for (const auto& [items, batch] : many_) stats.batches.push_back(batch);
    return stats;
  }

 private:
  static constexpr std::size_t kFewMax = 16;
  static constexpr std::size_t kSizesMax = 256;

  struct Runs {
    std::atomic<std::uint64_t> count{0};
    std::atomic<std::uint64_t> run_time_us{0};
  };

  void RecordMany(std::uint64_t items, std::uint64_t run_time_us) {
    const MutexLock lock(mutex_);
    auto size = many_.find(items);
    if (size == many_.end()) {
      if (many_.size() == kSizesMax) return;
      size = many_.emplace(items, BatchStats{.batch_size = items}).first;
    }
    ++size->second.count;
    size->second.run_time_us += run_time_us;
  }

  std::atomic<std::uint64_t> count_{0};
  std::atomic<std::uint64_t> items_{0};
  std::array<Runs, kFewMax + 1> few_;  // by the number of items
  mutable Mutex mutex_;
  std::map<std::uint64_t, BatchStats> many_ GUARDED_BY(mutex_);
};

}  // namespace mlos::metrics
