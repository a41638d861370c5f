// SPDX-License-Identifier: MIT
#include "resource/byte_budget.h"

#include <gtest/gtest.h>

#include <atomic>
#include <limits>
#include <thread>
#include <vector>

namespace mlos::resource {
namespace {

TEST(ByteBudget, CountsWhatIsReservedUntilItIsGivenBack) {
  ByteBudget budget(100);
  {
    const Result<Reservation> first = budget.Reserve(60);
    ASSERT_TRUE(first.ok());
    EXPECT_EQ(budget.used(), 60U);
    EXPECT_EQ(first->bytes(), 60U);
  }
  EXPECT_EQ(budget.used(), 0U);
}

TEST(ByteBudget, TakesExactlyItsLimitAndRefusesOneMore) {
  ByteBudget budget(100);
  const Result<Reservation> all = budget.Reserve(100);
  ASSERT_TRUE(all.ok());
  const Result<Reservation> more = budget.Reserve(1);
  ASSERT_FALSE(more.ok());
  EXPECT_EQ(more.status().reason(), Reason::kOverloaded);
  EXPECT_EQ(budget.used(), 100U);
}

TEST(ByteBudget, AHugeRequestDoesNotWrapAround) {
  ByteBudget budget(100);
  const Result<Reservation> held = budget.Reserve(50);
  ASSERT_TRUE(held.ok());
  EXPECT_FALSE(budget.Reserve(std::numeric_limits<std::uint64_t>::max()).ok());
  EXPECT_FALSE(budget.Reserve(std::numeric_limits<std::uint64_t>::max() - 49).ok());
  EXPECT_EQ(budget.used(), 50U);
}

TEST(Reservation, GrowsAndShrinksWithinTheBudget) {
  ByteBudget budget(100);
  Reservation share = budget.Reserve(10).value();
  EXPECT_TRUE(share.Resize(100).ok());
  EXPECT_EQ(budget.used(), 100U);
  EXPECT_EQ(share.Resize(101).reason(), Reason::kOverloaded);
  EXPECT_EQ(share.bytes(), 100U);
  EXPECT_TRUE(share.Resize(3).ok());
  EXPECT_EQ(budget.used(), 3U);
}

TEST(Reservation, MovingTakesTheShareAlong) {
  ByteBudget budget(100);
  Reservation first = budget.Reserve(10).value();
  Reservation second = budget.Reserve(20).value();
  second = std::move(first);
  EXPECT_EQ(second.bytes(), 10U);
  first = Reservation();
  EXPECT_EQ(budget.used(), 10U);
}

TEST(ByteBudget, ThreadsTogetherNeverExceedTheLimit) {
  constexpr std::uint64_t kLimit = 1000;
  ByteBudget budget(kLimit);
  std::atomic<bool> exceeded = false;
  std::vector<std::thread> threads;
  for (int t = 0; t < 4; ++t) {
    threads.emplace_back([&budget, &exceeded, t] {
      for (int i = 0; i < 20'000; ++i) {
        Result<Reservation> share = budget.Reserve(static_cast<std::uint64_t>(100 + 37 * t));
        if (share.ok() && i % 3 == 0 && !share->Resize(300).ok()) {
          EXPECT_TRUE(share->Resize(1).ok());
        }
        if (budget.used() > kLimit) exceeded = true;
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_FALSE(exceeded);
  EXPECT_EQ(budget.used(), 0U);
}

}  // namespace
}  // namespace mlos::resource
