// SPDX-License-Identifier: MIT
#include "metrics/latency_histogram.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <memory>
#include <random>
#include <thread>
#include <vector>

namespace mlos::metrics {
namespace {

TEST(LatencyHistogram, IsAllZeroBeforeTheFirstRecord) {
  const LatencyHistogram histogram;
  EXPECT_EQ(histogram.count(), 0U);
  EXPECT_EQ(histogram.max_us(), 0U);
  EXPECT_EQ(histogram.QuantileUs(0.5), 0);
}

TEST(LatencyHistogram, EveryDurationReadsBackWithinOneThirtySecond) {
  for (std::int64_t duration = 0; duration < (std::int64_t{1} << 33);
       duration += 1 + duration / 7) {
    LatencyHistogram histogram;
    histogram.Record(duration);
    histogram.Record(std::int64_t{1} << 40);  // so that the maximum does not clip the answer
    const double truth = std::min(static_cast<double>(duration), std::pow(2.0, 32) - 1);
    EXPECT_LE(std::abs(histogram.QuantileUs(0.5) - truth), truth / 32) << duration;
    if (duration < 16) {
      EXPECT_EQ(histogram.QuantileUs(0.5), truth);
    }
  }
}

TEST(LatencyHistogram, QuantilesFollowTheSortedSample) {
  std::mt19937 random(1);
  std::lognormal_distribution<double> latency(7, 1.5);
  LatencyHistogram histogram;
  std::vector<double> sample;
  for (int i = 0; i < 20'000; ++i) {
    const auto duration = static_cast<std::int64_t>(latency(random));
    sample.push_back(static_cast<double>(duration));
    histogram.Record(duration);
  }
  std::sort(sample.begin(), sample.end());
  for (const double quantile : {0.01, 0.5, 0.9, 0.99, 0.999, 1.0}) {
    const auto rank = static_cast<std::size_t>(std::ceil(quantile * 20'000));
    const double truth = sample[rank - 1];
    EXPECT_NEAR(histogram.QuantileUs(quantile), truth, truth / 32) << quantile;
  }
  EXPECT_EQ(static_cast<double>(histogram.max_us()), sample.back());
}

TEST(LatencyHistogram, CountsBelowPowersOfTwoAreExact) {
  LatencyHistogram histogram;
  for (const int duration : {0, 1, 2, 63, 64, 65, 127, 128, 5000}) histogram.Record(duration);
  EXPECT_EQ(histogram.CountBelowPowerOfTwo(0), 1U);
  EXPECT_EQ(histogram.CountBelowPowerOfTwo(6), 4U);
  EXPECT_EQ(histogram.CountBelowPowerOfTwo(7), 7U);
  EXPECT_EQ(histogram.CountBelowPowerOfTwo(13), 9U);
  EXPECT_EQ(histogram.CountBelowPowerOfTwo(32), 9U);
  EXPECT_EQ(histogram.sum_us(), 5450U);
}

TEST(LatencyHistogram, AClockThatWentBackCountsAsZero) {
  LatencyHistogram histogram;
  histogram.Record(-5);
  EXPECT_EQ(histogram.count(), 1U);
  EXPECT_EQ(histogram.sum_us(), 0U);
}

TEST(LatencyHistogram, AddsAnotherOne) {
  LatencyHistogram sum;
  LatencyHistogram other;
  sum.Record(5);
  for (const std::int64_t us : {0, 5, 1000}) other.Record(us);
  sum.Add(other);
  EXPECT_EQ(sum.count(), 4U);
  EXPECT_EQ(sum.sum_us(), 1010U);
  EXPECT_EQ(sum.max_us(), 1000U);
  EXPECT_EQ(sum.QuantileUs(0.5), 5);
  EXPECT_EQ(other.count(), 3U);
}

TEST(LatencyHistogram, LosesNothingWhenThreadsRecordTogether) {
  LatencyHistogram histogram;
  std::vector<std::thread> threads;
  for (int t = 1; t <= 4; ++t) {
    threads.emplace_back([&histogram, t] {
      for (int i = 0; i < 25'000; ++i) histogram.Record(t);
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(histogram.count(), 100'000U);
  EXPECT_EQ(histogram.sum_us(), 250'000U);
  EXPECT_EQ(histogram.max_us(), 4U);
  EXPECT_EQ(histogram.CountBelowPowerOfTwo(2), 75'000U);
}

}  // namespace
}  // namespace mlos::metrics
