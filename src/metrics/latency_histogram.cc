// SPDX-License-Identifier: MIT
#include "metrics/latency_histogram.h"

#include <algorithm>
#include <bit>
#include <cmath>

namespace mlos::metrics {

// Bucket b < 16 holds exactly b. Above, with e = floor(log2 v) ≥ 4, the four bits below the leading
// one select one of 16 buckets, each 2^(e-4) wide.
unsigned LatencyHistogram::BucketOf(std::uint64_t duration_us) {
  if (duration_us < kSub) return static_cast<unsigned>(duration_us);
  const unsigned shift = static_cast<unsigned>(std::bit_width(duration_us)) - 1 - kSubBits;
  return (shift + 1) * kSub + (static_cast<unsigned>(duration_us >> shift) & (kSub - 1));
}

// Durations are truncated to whole microseconds: bucket b of width 1 stands for [b, b+1).
double LatencyHistogram::MiddleOf(unsigned bucket) {
  if (bucket < kSub) return bucket;
  const unsigned shift = bucket / kSub - 1;
  const auto low = static_cast<double>(std::uint64_t{kSub + bucket % kSub} << shift);
  return low + static_cast<double>((std::uint64_t{1} << shift) - 1) / 2;
}

void LatencyHistogram::Record(std::int64_t duration_us) {
  constexpr std::uint64_t kMax = (std::uint64_t{1} << kExponentMax) - 1;
  const std::uint64_t duration =
      duration_us <= 0 ? 0 : std::min(static_cast<std::uint64_t>(duration_us), kMax);
  buckets_[BucketOf(duration)].fetch_add(1, std::memory_order_relaxed);
  if (duration != 0) sum_us_.fetch_add(duration, std::memory_order_relaxed);
  RaiseMax(duration);
}

void LatencyHistogram::RaiseMax(std::uint64_t duration) {
  std::uint64_t max = max_us_.load(std::memory_order_relaxed);
  while (duration > max &&
         !max_us_.compare_exchange_weak(max, duration, std::memory_order_relaxed)) {
  }
}

void LatencyHistogram::Add(const LatencyHistogram& other) {
  for (unsigned b = 0; b < kBuckets; ++b) {
    buckets_[b].fetch_add(other.buckets_[b].load(std::memory_order_relaxed),
                          std::memory_order_relaxed);
  }
  sum_us_.fetch_add(other.sum_us(), std::memory_order_relaxed);
  RaiseMax(other.max_us());
}

std::uint64_t LatencyHistogram::count() const {
  std::uint64_t count = 0;
  for (const auto& bucket : buckets_) count += bucket.load(std::memory_order_relaxed);
  return count;
}

double LatencyHistogram::QuantileUs(double quantile) const {
  std::array<std::uint64_t, kBuckets> counts{};
  std::uint64_t total = 0;
  for (unsigned b = 0; b < kBuckets; ++b) {
    counts[b] = buckets_[b].load(std::memory_order_relaxed);
    total += counts[b];
  }
  if (total == 0) return 0;
  const double wanted = std::ceil(std::clamp(quantile, 0.0, 1.0) * static_cast<double>(total));
  const auto rank = std::max(std::uint64_t{1}, static_cast<std::uint64_t>(wanted));
  std::uint64_t seen = 0;
  unsigned bucket = 0;
  while (bucket < kBuckets - 1 && (seen += counts[bucket]) < rank) ++bucket;
  return std::min(MiddleOf(bucket), static_cast<double>(max_us()));
}

std::uint64_t LatencyHistogram::CountBelowPowerOfTwo(unsigned exponent) const {
  const unsigned end = exponent >= kExponentMax ? kBuckets : BucketOf(std::uint64_t{1} << exponent);
  std::uint64_t below = 0;
  for (unsigned b = 0; b < end; ++b) below += buckets_[b].load(std::memory_order_relaxed);
  return below;
}

}  // namespace mlos::metrics
