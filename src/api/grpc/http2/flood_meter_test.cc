// SPDX-License-Identifier: MIT
#include "api/grpc/http2/flood_meter.h"

#include <gtest/gtest.h>

#include <chrono>

namespace mlos::api::grpc::http2 {
namespace {

TEST(FloodMeterTest, ResetsCountAgainstWhatWasAnswered) {
  FloodMeter meter;
  for (std::uint64_t i = 0; i < FloodMeter::kResetsFree; ++i) EXPECT_TRUE(meter.CountReset());
  EXPECT_FALSE(meter.CountReset());

  FloodMeter honest;
  for (int i = 0; i < 100'000; ++i) {
    honest.CountAnswered();
    ASSERT_TRUE(honest.CountReset());
  }
}

TEST(FloodMeterTest, OverheadCountsAgainstWhatIsUseful) {
  FloodMeter meter;
  for (std::uint64_t i = 0; i < FloodMeter::kOverheadFree; ++i) EXPECT_TRUE(meter.CountOverhead());
  EXPECT_FALSE(meter.CountOverhead());

  FloodMeter honest;
  for (int i = 0; i < 100'000; ++i) {
    honest.CountUseful();
    for (int of_each = 0; of_each < 4; ++of_each) ASSERT_TRUE(honest.CountOverhead());
  }
}

TEST(FloodMeterTest, AWindowEndsAfterTenSeconds) {
  FloodMeter meter;
  const SteadyClock::time_point start = SteadyClock::now();
  meter.OnTick(start);
  for (std::uint64_t i = 0; i < FloodMeter::kResetsFree; ++i) ASSERT_TRUE(meter.CountReset());
  meter.OnTick(start + std::chrono::seconds(9));
  EXPECT_FALSE(meter.CountReset());
  meter.OnTick(start + std::chrono::seconds(10));
  EXPECT_TRUE(meter.CountReset());
}

}  // namespace
}  // namespace mlos::api::grpc::http2
