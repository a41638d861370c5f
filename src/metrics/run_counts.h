// SPDX-License-Identifier: MIT
#pragma once

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

/// Counts the runs of a model. Thread-safe.
///
/// Callers decide how many items a request has: of more than 256 sizes, the later ones are counted
/// and not told apart.
class RunCounts {
 public:
  void Record(std::uint64_t items, std::int64_t run_time_us) {
    const MutexLock lock(mutex_);
    ++count_;
    items_ += items;
    auto size = sizes_.find(items);
    if (size == sizes_.end()) {
      if (sizes_.size() == kSizesMax) return;
      size = sizes_.emplace(items, BatchStats{.batch_size = items}).first;
    }
    ++size->second.count;
    size->second.run_time_us += static_cast<std::uint64_t>(run_time_us);
  }

  RunStats Get() const {
    const MutexLock lock(mutex_);
    RunStats stats{.count = count_, .items = items_};
    for (const auto& [items, batch] : sizes_) stats.batches.push_back(batch);
    return stats;
  }

 private:
  static constexpr std::size_t kSizesMax = 256;

  mutable Mutex mutex_;
  std::uint64_t count_ GUARDED_BY(mutex_) = 0;
  std::uint64_t items_ GUARDED_BY(mutex_) = 0;
  std::map<std::uint64_t, BatchStats> sizes_ GUARDED_BY(mutex_);
};

}  // namespace mlos::metrics
