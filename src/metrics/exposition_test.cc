// SPDX-License-Identifier: MIT
#include "metrics/exposition.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <set>
#include <sstream>
#include <string>

namespace mlos::metrics {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

TEST(Exposition, GroupsSamplesByFamilyWhateverTheirOrder) {
  Exposition exposition;
  exposition.AddCounter("mlos_a_total", "As.", {{"k", "1"}}, 3);
  exposition.AddGauge("mlos_b_bytes", "Bytes of b.", {}, 1.5);
  exposition.AddCounter("mlos_a_total", "As.", {{"k", "2"}}, 4);
  EXPECT_EQ(exposition.Text(),
            "# HELP mlos_a_total As.\n"
            "# TYPE mlos_a_total counter\n"
            "mlos_a_total{k=\"1\"} 3\n"
            "mlos_a_total{k=\"2\"} 4\n"
            "# HELP mlos_b_bytes Bytes of b.\n"
            "# TYPE mlos_b_bytes gauge\n"
            "mlos_b_bytes 1.5\n");
}

TEST(Exposition, EscapesLabelValues) {
  Exposition exposition;
  exposition.AddCounter("mlos_a_total", "As.", {{"k", "a\"b\\c\nd"}}, 1);
  EXPECT_THAT(exposition.Text(), HasSubstr(R"(mlos_a_total{k="a\"b\\c\nd"} 1)"));
}

TEST(Exposition, WritesLatenciesInSecondsWithCumulativeBuckets) {
  LatencyHistogram latency;
  latency.Record(63);
  latency.Record(64);
  latency.Record(2'000'000'000);
  Exposition exposition;
  exposition.AddLatency("mlos_run_seconds", "Runs.", {{"model", "m"}}, latency, Detail::kAll);
  const std::string text = exposition.Text();
  EXPECT_THAT(text, HasSubstr("mlos_run_seconds_bucket{model=\"m\",le=\"6.4e-05\"} 1\n"));
  EXPECT_THAT(text, HasSubstr("mlos_run_seconds_bucket{model=\"m\",le=\"0.000128\"} 2\n"));
  EXPECT_THAT(text, HasSubstr("mlos_run_seconds_bucket{model=\"m\",le=\"67.108864\"} 2\n"));
  EXPECT_THAT(text, HasSubstr("mlos_run_seconds_bucket{model=\"m\",le=\"+Inf\"} 3\n"));
  EXPECT_THAT(text, HasSubstr("mlos_run_seconds_count{model=\"m\"} 3\n"));
  EXPECT_THAT(text, Not(HasSubstr("nan")));
}

TEST(Exposition, FewBoundsOfALatencyAreSomeOfAll) {
  LatencyHistogram latency;
  for (int i = 0; i < 30; ++i) latency.Record(std::int64_t{1} << i);
  const auto lines = [&](Detail detail) {
    Exposition exposition;
    exposition.AddLatency("mlos_run_seconds", "Runs.", {}, latency, detail);
    std::istringstream text(exposition.Text());
    std::set<std::string> found;
    for (std::string line; std::getline(text, line);) found.insert(line);
    return found;
  };
  const std::set<std::string> few = lines(Detail::kFew);
  const std::set<std::string> all = lines(Detail::kAll);
  constexpr std::size_t kComments = 2;
  EXPECT_EQ(few.size(), kComments + 9);
  EXPECT_EQ(all.size(), kComments + 24);
  EXPECT_TRUE(std::includes(all.begin(), all.end(), few.begin(), few.end()));
}

}  // namespace
}  // namespace mlos::metrics
