// SPDX-License-Identifier: MIT
#include "scheduler/batching/merge_trials.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <vector>

namespace mlos::scheduler::batching {
namespace {

using Step = MergeTrials::Step;

constexpr Compatibility kAll[] = {Compatibility::kEqual, Compatibility::kAlike,
                                  Compatibility::kDifferent};

void Trust(MergeTrials& trials, Compatibility compatibility) {
  for (int i = 0; i < 3; ++i) trials.Equal(compatibility, 1000, 100);
}

/// How many requests pass by before the next trial.
int RestOf(MergeTrials& trials) {
  int count = 0;
  while (trials.PassBy()) ++count;
  return count;
}

TEST(MergeTrials, ThreeGoodOnesInARowAreNeeded) {
  MergeTrials trials;
  for (int i = 0; i < 3; ++i) {
    EXPECT_FALSE(trials.trusted());
    EXPECT_EQ(trials.Next(Compatibility::kDifferent), Step::kTry);
    trials.Equal(Compatibility::kDifferent, 1000, 900);
  }
  EXPECT_TRUE(trials.all_trusted());
  for (const Compatibility compatibility : kAll)
    EXPECT_GE(trials.Next(compatibility), Step::kMerge);
}

TEST(MergeTrials, EqualRequestsVouchForNoOthers) {
  MergeTrials trials;
  Trust(trials, Compatibility::kEqual);
  EXPECT_TRUE(trials.trusted());
  EXPECT_FALSE(trials.all_trusted());
  EXPECT_GE(trials.Next(Compatibility::kEqual), Step::kMerge);
  EXPECT_EQ(trials.Next(Compatibility::kAlike), Step::kRunAlone);
  EXPECT_EQ(trials.Next(Compatibility::kDifferent), Step::kTry);
}

TEST(MergeTrials, ADifferenceEndsMergingWheneverItIsSeen) {
  for (const bool trusted : {false, true}) {
    MergeTrials trials;
    if (trusted) Trust(trials, Compatibility::kDifferent);
    trials.Differ();
    EXPECT_TRUE(trials.off());
    for (const Compatibility compatibility : kAll)
      EXPECT_EQ(trials.Next(compatibility), Step::kRunAlone);
  }
}

TEST(MergeTrials, WhatDoesNotPayIsTriedAgainAfterARestThatDoubles) {
  MergeTrials trials;
  int expected = 256;
  for (int i = 0; i < 12; ++i) {
    trials.Equal(Compatibility::kDifferent, 1000, 901);
    EXPECT_FALSE(trials.off());
    EXPECT_EQ(trials.Next(Compatibility::kDifferent), Step::kRunAlone);
    EXPECT_EQ(RestOf(trials), expected);
    EXPECT_EQ(trials.Next(Compatibility::kDifferent), Step::kTry);
    expected = std::min(2 * expected, 65'536);
  }
  trials.Equal(Compatibility::kDifferent, 1000, 100);
  trials.Equal(Compatibility::kDifferent, 1000, 100);
  trials.Equal(Compatibility::kDifferent, 1000, 950);
  RestOf(trials);
  EXPECT_FALSE(trials.trusted()) << "not three in a row";
  Trust(trials, Compatibility::kDifferent);
  EXPECT_TRUE(trials.trusted());
  EXPECT_FALSE(trials.PassBy());
}

TEST(MergeTrials, ARestForWantOfMemoryEndsToo) {
  MergeTrials trials;
  trials.Impossible();
  EXPECT_EQ(trials.Next(Compatibility::kEqual), Step::kRunAlone);
  EXPECT_EQ(RestOf(trials), 256);
  EXPECT_EQ(trials.Next(Compatibility::kEqual), Step::kTry);
}

TEST(MergeTrials, TrustedEqualRequestsGoOnWhileDifferentOnesRest) {
  MergeTrials trials;
  Trust(trials, Compatibility::kEqual);
  trials.Equal(Compatibility::kDifferent, 1000, 1000);
  EXPECT_EQ(trials.Next(Compatibility::kDifferent), Step::kRunAlone);
  for (int i = 0; i < 256; ++i) EXPECT_FALSE(trials.PassBy());
  EXPECT_GE(trials.Next(Compatibility::kEqual), Step::kMerge);
  EXPECT_EQ(trials.Next(Compatibility::kDifferent), Step::kTry);
}

TEST(MergeTrials, MergedRunsAreCheckedSoonAndThenNowAndThen) {
  MergeTrials trials;
  Trust(trials, Compatibility::kDifferent);
  std::vector<int> checked;
  for (int run = 1; run <= 256; ++run) {
    if (trials.Next(Compatibility::kDifferent) == Step::kMergeAndCheck) checked.push_back(run);
  }
  EXPECT_EQ(checked, (std::vector<int>{1, 2, 4, 8, 16, 32, 64, 128, 192, 256}));
}

}  // namespace
}  // namespace mlos::scheduler::batching
