// SPDX-License-Identifier: MIT
#include "metrics/stats.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <sstream>
#include <string>
#include <thread>

namespace mlos::metrics {
namespace {

using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;

const Status kOverload(Reason::kOverloaded, "full");

TEST(Stats, StartsAtZero) {
  const Stats stats;
  const ServerStats server = stats.Server();
  EXPECT_EQ(server.total_requests, 0U);
  EXPECT_EQ(server.response_time.p99_us, 0);
  EXPECT_GE(server.uptime_seconds, 0);
  EXPECT_THAT(stats.Models(), IsEmpty());
}

TEST(Stats, CountsRequestsByOutcome) {
  Stats stats;
  stats.RecordRequest("http", "/health", OkStatus(), 10);
  stats.RecordRequest("http", "/stats", OkStatus(), 12);
  stats.RecordRequest("http", "/health", kOverload, 8);
  const ServerStats server = stats.Server();
  EXPECT_EQ(server.total_requests, 3U);
  EXPECT_EQ(server.successful_requests, 2U);
  EXPECT_EQ(server.failed_requests, 1U);
  ASSERT_EQ(server.errors.size(), 1U);
  EXPECT_EQ(server.errors[0].reason, Reason::kOverloaded);
  EXPECT_EQ(server.response_time.count, 3U);
  EXPECT_EQ(server.response_time.mean_us, 10);
  EXPECT_EQ(server.response_time.p50_us, 10);
  EXPECT_EQ(server.response_time.max_us, 12);
}

TEST(Stats, PercentilesOfAModelAreWithinOneThirtySecond) {
  Stats stats;
  stats.AddModel("m", "onnx");
  const auto counts = stats.CountsOf("m");
  for (int i = 1; i <= 1000; ++i) counts->Record(OkStatus(), 3, i);
  stats.RecordRefusal("m", kOverload);
  const std::vector<ModelStats> models = stats.Models();
  ASSERT_EQ(models.size(), 1U);
  EXPECT_EQ(models[0].plugin_id, "onnx");
  EXPECT_EQ(models[0].success_count, 1000U);
  ASSERT_EQ(models[0].errors.size(), 1U);
  EXPECT_EQ(models[0].errors[0].count, 1U);
  EXPECT_EQ(models[0].run_time.count, 1000U) << "what was refused has no run time";
  EXPECT_NEAR(models[0].run_time.p50_us, 500, 500.0 / 32);
  EXPECT_NEAR(models[0].run_time.p90_us, 900, 900.0 / 32);
  EXPECT_NEAR(models[0].run_time.p99_us, 990, 990.0 / 32);
  EXPECT_EQ(models[0].queue_time.p99_us, 3);
}

TEST(Stats, CountsRunsBySizeAndForgetsTheSizesOfTooMany) {
  Stats stats;
  const auto counts = stats.CountsOf("m");
  stats.AddModel("m", "onnx", counts);
  counts->RecordRun(4, 50);
  counts->RecordRun(1, 10);
  counts->RecordRun(4, 70);
  const RunStats runs = stats.Models().at(0).runs;
  EXPECT_EQ(runs.count, 3U);
  EXPECT_EQ(runs.items, 9U);
  ASSERT_EQ(runs.batches.size(), 2U);
  EXPECT_EQ(runs.batches[0].batch_size, 1U);
  EXPECT_EQ(runs.batches[1].batch_size, 4U);
  EXPECT_EQ(runs.batches[1].count, 2U);
  EXPECT_EQ(runs.batches[1].run_time_us, 120U);
  EXPECT_THAT(stats.PrometheusText({}),
              HasSubstr("mlos_model_runs_total{model=\"m\",plugin=\"onnx\"} 3\n"));
  for (std::uint64_t items = 1; items <= 1000; ++items) counts->RecordRun(items, 1);
  EXPECT_EQ(stats.Models()[0].runs.count, 1003U);
  EXPECT_EQ(stats.Models()[0].runs.batches.size(), 16U + 256U);
}

TEST(Stats, ShowsOnlyModelsThatWereAddedAndForgetsThemForGood) {
  Stats stats;
  stats.RecordRefusal("stranger", kOverload);
  const auto counts = stats.CountsOf("m");
  counts->Record(OkStatus(), 0, 1);
  EXPECT_THAT(stats.Models(), IsEmpty());
  stats.AddModel("m", "onnx", counts);
  EXPECT_EQ(stats.Models()[0].success_count, 1U);
  stats.AddModel("m", "onnx");
  EXPECT_EQ(stats.Models()[0].success_count, 1U) << "adding again keeps the counts";
  EXPECT_EQ(stats.CountsOf("m"), counts);
  stats.ForgetModel("m");
  counts->Record(OkStatus(), 0, 1);
  EXPECT_THAT(stats.Models(), IsEmpty());
  EXPECT_THAT(stats.PrometheusText({}), Not(HasSubstr("model=")));
  stats.AddModel("m", "onnx");
  EXPECT_EQ(stats.Models()[0].success_count, 0U) << "a new model of that name begins at zero";
}

TEST(Stats, ARouteIsLookedUpOnceAndShownOnceAskedFor) {
  Stats stats;
  RouteCounts& route = stats.Route("ipc", "infer");
  EXPECT_THAT(stats.PrometheusText({}), Not(HasSubstr("mlos_ipc")));
  for (int i = 0; i < 100; ++i) stats.Route("ipc", std::to_string(i));
  route.Record(OkStatus(), 4);
  stats.RecordRequest("ipc", "infer", kOverload, 2);
  EXPECT_EQ(stats.Server().total_requests, 2U);
  const std::string text = stats.PrometheusText({});
  EXPECT_THAT(text, HasSubstr("mlos_ipc_requests_total{route=\"infer\",outcome=\"OK\"} 1\n"));
  EXPECT_THAT(text, HasSubstr("{route=\"infer\",outcome=\"OVERLOADED\"} 1\n"));
}

TEST(Stats, ManyRoutesEndUpInOneSeries) {
  Stats stats;
  for (int i = 0; i < 1000; ++i) {
    stats.RecordRequest("http", "/" + std::to_string(i), OkStatus(), 1);
  }
  EXPECT_EQ(stats.Server().total_requests, 1000U);
  const std::string text = stats.PrometheusText({});
  EXPECT_THAT(text, HasSubstr("mlos_http_requests_total{route=\"other\",outcome=\"OK\"} 936\n"));
  EXPECT_THAT(text, Not(HasSubstr("route=\"/64\"")));
}

TEST(Stats, RecordingWhileOthersReadAndForgetLosesNothing) {
  Stats stats;
  stats.AddModel("kept", "onnx");
  std::thread recorder([&] {
    for (int i = 0; i < 5000; ++i) {
      stats.RecordRequest("http", "/r", OkStatus(), i);
      stats.CountsOf("kept")->Record(OkStatus(), 0, i);
      stats.RecordRefusal("changing", kOverload);
    }
  });
  for (int i = 0; i < 50; ++i) {
    stats.AddModel("changing", "onnx");
    EXPECT_THAT(stats.PrometheusText({}), HasSubstr("mlos_uptime_seconds"));
    stats.ForgetModel("changing");
  }
  recorder.join();
  EXPECT_EQ(stats.Server().total_requests, 5000U);
  EXPECT_EQ(stats.Models()[0].success_count, 5000U);
}

/// Requests to "m" that ended in every possible way.
void EndInEveryWay(Stats& stats) {
  stats.AddModel("m", "onnx");
  const auto counts = stats.CountsOf("m");
  counts->Record(OkStatus(), 5, 900);
  counts->RecordRun(1, 900);
#define MLOS_RECORD_REASON(enumerator, name, code) \
  counts->Record(Status(Reason::enumerator, "no"), 0, 0);
  MLOS_REASONS(MLOS_RECORD_REASON)
#undef MLOS_RECORD_REASON
}

std::ptrdiff_t CountOf(const std::string& text, std::string_view part) {
  std::ptrdiff_t count = 0;
  for (std::size_t at = text.find(part); at != std::string::npos; at = text.find(part, at + 1)) {
    ++count;
  }
  return count;
}

TEST(Stats, AModelHasAtMost25SeriesUnlessAskedForAll) {
  Stats stats;
  EndInEveryWay(stats);
  const Gauges gauges{.queues = {{"m", 3}}};
  const std::string few = stats.PrometheusText(gauges);
  EXPECT_LE(CountOf(few, "model=\"m\""), 25) << few;
  EXPECT_THAT(few, HasSubstr("outcome=\"OVERLOADED\"} 1\n"));
  EXPECT_THAT(few, HasSubstr("outcome=\"DEADLINE_EXCEEDED\"} 1\n"));
  EXPECT_THAT(few, Not(HasSubstr("outcome=\"MISSING_INPUT\"")));
  EXPECT_THAT(few, HasSubstr("outcome=\"OTHER\"} "));
  const std::string all = stats.PrometheusText(gauges, Detail::kAll);
  EXPECT_GT(CountOf(all, "model=\"m\""), 60);
  EXPECT_THAT(all, HasSubstr("outcome=\"MISSING_INPUT\"} 1\n"));
  EXPECT_THAT(all, Not(HasSubstr("outcome=\"OTHER\"")));
  for (const std::string_view name : {"# TYPE mlos_inference", "# TYPE mlos_model"}) {
    EXPECT_EQ(CountOf(few, name), CountOf(all, name)) << "names stay";
  }
}

TEST(Stats, TheManualNamesEveryMetric) {
  Stats stats;
  EndInEveryWay(stats);
  for (const std::string door : {"http", "grpc", "ipc"}) {
    stats.RecordRequest(door, "r", OkStatus(), 1);
  }
  std::ifstream file("docs/API-REFERENCE.md");
  std::stringstream manual;
  manual << file.rdbuf();
  std::istringstream text(
      stats.PrometheusText({.queues = {{"m", 1}}, .plugins = {{"echo-c", "echo_runs", 3}}}));
  for (std::string line; std::getline(text, line);) {
    if (!line.starts_with("# TYPE ")) continue;
    const std::string name = line.substr(7, line.find(' ', 7) - 7);
    EXPECT_THAT(manual.str(), HasSubstr("`" + name + "`"));
  }
}

TEST(Stats, PromtoolFindsNothingToCriticise) {
  Stats stats;
  stats.AddModel("hf/bert@latest", "onnx");
  stats.RecordRequest("http", "/models/{id}/inference", OkStatus(), 1000);
  stats.RecordRequest("http", "/models/{id}/inference", kOverload, 10);
  stats.CountsOf("hf/bert@latest")->Record(OkStatus(), 5, 900);
  stats.RecordRefusal("hf/bert@latest", kOverload);
  FILE* promtool = popen(".deps/bin/promtool check metrics 2>&1", "w");
  ASSERT_NE(promtool, nullptr);
  const std::string text =
      stats.PrometheusText({.bytes_in_flight = 42, .plugins = {{"echo-c", "echo_runs", 3}}});
  EXPECT_THAT(text, HasSubstr("mlos_in_flight_bytes 42"));
  EXPECT_THAT(text, HasSubstr("mlos_plugin_value{plugin=\"echo-c\",name=\"echo_runs\"} 3"));
  ASSERT_EQ(std::fwrite(text.data(), 1, text.size(), promtool), text.size());
  EXPECT_EQ(pclose(promtool), 0) << text;
}

}  // namespace
}  // namespace mlos::metrics
