// SPDX-License-Identifier: MIT
#include "api/door/bounds.h"

#include <gtest/gtest.h>

#include <cstdint>
#include <limits>

namespace mlos::api::door {
namespace {

using std::chrono::milliseconds;

const SteadyClock::time_point kStart = SteadyClock::now();

TEST(BoundsTest, WhoDoesNotAskGetsTheLimit) {
  EXPECT_EQ(Bounds(500).From(kStart, std::nullopt), kStart + milliseconds(500));
  EXPECT_EQ(Bounds(0).From(kStart, std::nullopt), kNoDeadline);
}

TEST(BoundsTest, CallersMayAskForLess) {
  EXPECT_EQ(Bounds(500).From(kStart, Milliseconds(20)), kStart + milliseconds(20));
  EXPECT_EQ(Bounds(500).From(kStart, Microseconds(20'000)), kStart + milliseconds(20));
  EXPECT_EQ(Bounds(0).From(kStart, Milliseconds(20)), kStart + milliseconds(20));
  EXPECT_EQ(Bounds(500).From(kStart, Milliseconds(0)), kStart);
}

TEST(BoundsTest, CallersMayNotAskForMore) {
  EXPECT_EQ(Bounds(500).From(kStart, Milliseconds(501)), kStart + milliseconds(500));
}

TEST(BoundsTest, TheLongestTimesDoNotOverflow) {
  constexpr std::uint64_t kMost = std::numeric_limits<std::uint64_t>::max();
  EXPECT_EQ(Bounds(0).From(kStart, Milliseconds(kMost)), kNoDeadline);
  EXPECT_EQ(Bounds(0).From(kStart, Microseconds(kMost)), kNoDeadline);
  EXPECT_EQ(Bounds(500).From(kStart, Milliseconds(kMost)), kStart + milliseconds(500));
  EXPECT_EQ(Bounds(std::numeric_limits<std::int64_t>::max()).From(kStart, {}), kNoDeadline);
}

}  // namespace
}  // namespace mlos::api::door
