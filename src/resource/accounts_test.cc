// SPDX-License-Identifier: MIT
#include "resource/accounts.h"

#include <gtest/gtest.h>

#include <atomic>
#include <optional>
#include <string>
#include <thread>
#include <vector>

namespace mlos::resource {
namespace {

TEST(Accounts, OneWhoIsAloneHasAllButTheReserve) {
  ByteBudget whole(800);
  Accounts accounts(whole);
  const Accounts::Lease first = accounts.Open("first");
  EXPECT_EQ(first.budget().limit(), 700U);
  const Result<Reservation> most = first.budget().Reserve(700);
  ASSERT_TRUE(most.ok());
  EXPECT_EQ(whole.used(), 700U);
  const Status refused = first.budget().Reserve(1).status();
  EXPECT_EQ(refused.reason(), Reason::kOverloaded);
  EXPECT_NE(refused.message().find("this caller's share: it has 700"), std::string::npos);
  const Accounts::Lease second = accounts.Open("second");
  const Result<Reservation> reserve = second.budget().Reserve(100);
  EXPECT_TRUE(reserve.ok());
  const Status full = second.budget().Reserve(1).status();
  EXPECT_NE(full.message().find("the limit of 800 (800 are in use)"), std::string::npos) << full;
}

TEST(Accounts, WhatOneGivesBackIsTheOthersUpToHalf) {
  ByteBudget whole(800);
  Accounts accounts(whole);
  const Accounts::Lease large = accounts.Open("large");
  const Accounts::Lease small = accounts.Open("small");
  std::vector<Reservation> of_large;
  while (of_large.size() < 70) of_large.push_back(large.budget().Reserve(10).value());
  std::vector<Reservation> of_small;
  while (of_small.size() < 10) of_small.push_back(small.budget().Reserve(10).value());
  while (small.budget().used() < 400) {
    of_large.pop_back();
    EXPECT_FALSE(large.budget().Reserve(10).ok()) << "above half, and the reserve is in use";
    of_small.push_back(small.budget().Reserve(10).value());
  }
  EXPECT_EQ(large.budget().used(), 400U);
}

TEST(Accounts, AreTheSameForOneNameAndGoToTheNextOnceTheyAreEmpty) {
  ByteBudget whole(800);
  Accounts accounts(whole);
  std::optional<Accounts::Lease> first(accounts.Open("a"));
  ByteBudget& account = first->budget();
  EXPECT_EQ(&accounts.Open("a").budget(), &account);
  std::optional<Reservation> held = account.Reserve(10).value();
  first.reset();
  // It is kept for its caller while something is reserved with it.
  EXPECT_NE(&accounts.Open("b").budget(), &account);
  EXPECT_EQ(&accounts.Open("a").budget(), &account);
  held.reset();
  const Accounts::Lease b = accounts.Open("b");
  EXPECT_EQ(&accounts.Open("c").budget(), &account);
  EXPECT_EQ(&accounts.Open("c").budget(), &account);
}

TEST(Accounts, ThreadsTogetherNeverExceedTheLimitNorTheirShares) {
  constexpr std::uint64_t kLimit = 1'000;
  ByteBudget whole(kLimit);
  Accounts accounts(whole);
  std::atomic<bool> exceeded = false;
  std::vector<std::thread> threads;
  for (int t = 0; t < 4; ++t) {
    threads.emplace_back([&accounts, &whole, &exceeded, t] {
      const Accounts::Lease lease = accounts.Open(t % 2 == 0 ? "even" : "odd");
      for (int i = 0; i < 20'000; ++i) {
        Result<Reservation> share =
            lease.budget().Reserve(static_cast<std::uint64_t>(100 + 37 * t));
        if (share.ok() && i % 3 == 0 && !share->Resize(300).ok()) {
          EXPECT_TRUE(share->Resize(1).ok());
        }
        if (whole.used() > kLimit) exceeded = true;
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_FALSE(exceeded);
  EXPECT_EQ(whole.used(), 0U);
}

}  // namespace
}  // namespace mlos::resource
