// SPDX-License-Identifier: MIT
#pragma once

#include <array>
#include <atomic>
#include <cstdint>

namespace mlos::metrics {

/// Counts durations in microseconds, in buckets whose width grows with the duration: exact below
/// 16 µs, then 16 buckets for each power of two, the layout of HdrHistogram
/// (http://hdrhistogram.org). A quantile read from it is off by at most 1/32 (3.2 %) of its value.
/// Recording is two relaxed atomic additions and a maximum, no lock; 4 KiB. Thread-safe: a reader
/// sees each number of some moment, not all of the same one.
class LatencyHistogram {
 public:
  /// Negative durations count as 0; those above an hour and eleven minutes (2^32 µs) as that.
  void Record(std::int64_t duration_us);
  /// Adds what `other` has counted.
  void Add(const LatencyHistogram& other);

  std::uint64_t count() const;
  std::uint64_t sum_us() const { return sum_us_.load(std::memory_order_relaxed); }
  std::uint64_t max_us() const { return max_us_.load(std::memory_order_relaxed); }

  /// The duration that `quantile` (0 to 1) of the recorded ones do not exceed; 0 if there are
  /// none.
  double QuantileUs(double quantile) const;
  /// How many were shorter than 2^`exponent` µs; exact. `exponent` up to 32.
  std::uint64_t CountBelowPowerOfTwo(unsigned exponent) const;

 private:
  static constexpr unsigned kSubBits = 4;
  static constexpr unsigned kSub = 1U << kSubBits;
  static constexpr unsigned kExponentMax = 32;
  static constexpr unsigned kBuckets = (kExponentMax - kSubBits + 1) * kSub;

  static unsigned BucketOf(std::uint64_t duration_us);
  static double MiddleOf(unsigned bucket);
  void RaiseMax(std::uint64_t duration);

  std::array<std::atomic<std::uint64_t>, kBuckets> buckets_{};
  std::atomic<std::uint64_t> sum_us_{0};
  std::atomic<std::uint64_t> max_us_{0};
};

}  // namespace mlos::metrics
