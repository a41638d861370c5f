// SPDX-License-Identifier: MIT
#include "api/grpc/http2/flood_meter.h"

#include <gtest/gtest.h>

#include <chrono>

namespace mlos::api::grpc::http2 {
namespace {

constexpr std::size_t kFrameHeader = 9;
constexpr std::size_t kPing = kFrameHeader + 8;
constexpr std::size_t kReset = kFrameHeader + 4;

TEST(FloodMeterTest, BytesWithoutUseHaveOneBudget) {
  FloodMeter meter;
  const auto half = static_cast<std::size_t>(FloodMeter::kFreeBytes / 2);
  meter.CountReceived(half);
  meter.CountReceived(half);
  EXPECT_FALSE(meter.flooded());
  meter.CountReceived(kFrameHeader);
  EXPECT_TRUE(meter.flooded());
}

TEST(FloodMeterTest, ResetsCountAgainstWhatWasAnswered) {
  FloodMeter rapid;
  int resets = 0;
  for (; !rapid.flooded(); ++resets) {
    rapid.Forgive(60);
    rapid.CountReceived(kFrameHeader + 60);
    rapid.CountReceived(kReset);
    rapid.CountReset(60);
  }
  EXPECT_GT(resets, 400);
  EXPECT_LT(resets, 1'000);

  FloodMeter honest;
  for (int i = 0; i < 100'000; ++i) {
    honest.CountAnswered();
    honest.CountReceived(kReset);
    honest.CountReset(16 << 10);
    ASSERT_FALSE(honest.flooded());
  }
}

TEST(FloodMeterTest, OverheadCountsAgainstWhatIsUseful) {
  FloodMeter honest;
  for (int i = 0; i < 100'000; ++i) {
    const std::size_t message = 6;
    honest.CountTaken(message);
    honest.CountReceived(kFrameHeader + message);
    for (int of_each = 0; of_each < 2; ++of_each) honest.CountReceived(kPing);
    honest.CountSent(message);
    ASSERT_FALSE(honest.flooded()) << i;
  }
}

TEST(FloodMeterTest, LargeMessagesDoNotBuyAFlood) {
  FloodMeter meter;
  const std::size_t message = 16 << 10;
  for (int i = 0; i < 64; ++i) {
    meter.CountTaken(message);
    meter.CountReceived(kFrameHeader + message);
  }
  EXPECT_FALSE(meter.flooded());
  for (int i = 0; i < 12'000; ++i) meter.CountReceived(kPing);
  EXPECT_TRUE(meter.flooded());
}

TEST(FloodMeterTest, PaddingIsOfNoUse) {
  FloodMeter meter;
  int frames = 0;
  for (; !meter.flooded() && frames < 100'000; ++frames) {
    meter.CountTaken(1);
    meter.CountReceived(kFrameHeader + 1 + 1 + 255);
  }
  EXPECT_LT(frames, 1'000);
}

TEST(FloodMeterTest, AWindowEndsAfterTenSeconds) {
  FloodMeter meter;
  const SteadyClock::time_point start = SteadyClock::now();
  meter.OnTick(start);
  meter.CountReceived(static_cast<std::size_t>(FloodMeter::kFreeBytes) + 1);
  meter.OnTick(start + std::chrono::seconds(9));
  EXPECT_TRUE(meter.flooded());
  meter.OnTick(start + std::chrono::seconds(10));
  EXPECT_FALSE(meter.flooded());
}

}  // namespace
}  // namespace mlos::api::grpc::http2
