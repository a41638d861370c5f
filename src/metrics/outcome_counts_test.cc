// SPDX-License-Identifier: MIT
#include "metrics/outcome_counts.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <utility>
#include <vector>

namespace mlos::metrics {
namespace {

using ::testing::ElementsAre;
using ::testing::Pair;

TEST(OutcomeCounts, KeepsSuccessesAndEachReasonApart) {
  OutcomeCounts counts;
  for (int i = 0; i < 3; ++i) counts.Record(OkStatus());
  counts.Record({Reason::kCancelled, "first of the reasons"});
  for (int i = 0; i < 2; ++i) counts.Record({Reason::kStoreCorrupt, "last of the reasons"});
  EXPECT_EQ(counts.successes(), 3U);
  EXPECT_EQ(counts.failures(), 3U);
  std::vector<std::pair<Reason, std::uint64_t>> failures;
  counts.ForEachFailure([&](Reason reason, std::uint64_t n) { failures.emplace_back(reason, n); });
  EXPECT_THAT(failures, ElementsAre(Pair(Reason::kCancelled, 1), Pair(Reason::kStoreCorrupt, 2)));
}

TEST(OutcomeCounts, AddsAnotherOne) {
  OutcomeCounts sum;
  OutcomeCounts other;
  sum.Record(OkStatus());
  other.Record(OkStatus());
  other.Record({Reason::kCancelled, "gone"});
  sum.Add(other);
  EXPECT_EQ(sum.successes(), 2U);
  EXPECT_EQ(sum.failures(), 1U);
}

}  // namespace
}  // namespace mlos::metrics
