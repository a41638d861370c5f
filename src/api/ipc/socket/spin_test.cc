// SPDX-License-Identifier: MIT
#include "api/ipc/socket/spin.h"

#include <gtest/gtest.h>

#include <string_view>

namespace mlos::api::ipc::socket {
namespace {

constexpr std::int64_t kLimitNs = 100'000;
constexpr std::int64_t kShortNs = 50'000;
constexpr std::int64_t kLongNs = 1'000'000'000;

/// Whether the policy polls after what happened: a (h)it, a (m)iss, a (s)hort or a (l)ong sleep.
bool Polls(std::string_view history, std::int64_t limit_ns = kLimitNs) {
  SpinPolicy policy(limit_ns);
  for (const char event : history) {
    if (event == 'h') policy.Hit();
    if (event == 'm') policy.Miss();
    if (event == 's') policy.Slept(kShortNs);
    if (event == 'l') policy.Slept(kLongNs);
  }
  return policy.budget_ns() != 0;
}

TEST(SpinPolicyTest, PollsOnlyWhileThatPays) {
  const struct {
    std::string_view history;
    bool polls;
  } cases[] = {
      {"", false},
      {"s", true},
      {"l", false},
      {"llll", false},
      {"sh", true},
      {"shhhh", true},
      {"sm", false},
      {"sml", false},
      {"smss", false},
      {"smsss", true},
      {"smlslsl", false},
      {"smlslsls", true},
      // Each further miss doubles what it takes to try again; a hit makes up for them.
      {"smsssm", false},
      {"smsssmsss", false},
      {"smsssmssss", false},
      {"smsssmsssss", true},
      {"smssshm", false},
      {"smssshmss", false},
      {"smssshmsss", true},
  };
  for (const auto& test : cases) EXPECT_EQ(Polls(test.history), test.polls) << test.history;
}

TEST(SpinPolicyTest, TheLimitIsTheBudgetAndZeroNeverPolls) {
  SpinPolicy policy(kLimitNs);
  policy.Slept(kShortNs);
  EXPECT_EQ(policy.budget_ns(), kLimitNs);
  EXPECT_FALSE(Polls("sshsh", 0));
}

TEST(SpinPolicyTest, WhatItTakesToTryAgainIsBounded) {
  SpinPolicy policy(kLimitNs);
  for (int i = 0; i < 100; ++i) policy.Miss();
  int sleeps = 0;
  for (; policy.budget_ns() == 0 && sleeps < 10'000; ++sleeps) policy.Slept(kShortNs);
  EXPECT_EQ(sleeps, 1025);
}

}  // namespace
}  // namespace mlos::api::ipc::socket
