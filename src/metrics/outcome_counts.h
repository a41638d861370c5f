// SPDX-License-Identifier: MIT
#pragma once

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>

#include "base/status.h"

namespace mlos::metrics {

/// Counts how requests ended: success, or the reason of their failure. Thread-safe, without a lock.
class OutcomeCounts {
 public:
  void Record(const Status& outcome) {
    std::atomic<std::uint64_t>& count =
        outcome.ok() ? successes_ : failures_[static_cast<std::size_t>(outcome.reason())];
    count.fetch_add(1, std::memory_order_relaxed);
  }

  /// Adds what `other` has counted.
  void Add(const OutcomeCounts& other) {
    successes_.fetch_add(other.successes(), std::memory_order_relaxed);
    other.ForEachFailure([this](Reason reason, std::uint64_t count) {
      failures_[static_cast<std::size_t>(reason)].fetch_add(count, std::memory_order_relaxed);
    });
  }

  std::uint64_t successes() const { return successes_.load(std::memory_order_relaxed); }
  std::uint64_t failures() const {
    std::uint64_t sum = 0;
    for (const auto& count : failures_) sum += count.load(std::memory_order_relaxed);
    return sum;
  }

  /// Calls visit(reason, count) for every reason that occurred.
  template <typename Visit>
  void ForEachFailure(Visit visit) const {
    for (std::size_t i = 0; i < failures_.size(); ++i) {
      const std::uint64_t count = failures_[i].load(std::memory_order_relaxed);
      if (count > 0) visit(static_cast<Reason>(i), count);
    }
  }

 private:
#define MLOS_COUNT_REASON(enumerator, name, code) +1
  static constexpr std::size_t kReasonCount = 0 MLOS_REASONS(MLOS_COUNT_REASON);
#undef MLOS_COUNT_REASON

  std::atomic<std::uint64_t> successes_{0};
  std::array<std::atomic<std::uint64_t>, kReasonCount> failures_{};
};

}  // namespace mlos::metrics
