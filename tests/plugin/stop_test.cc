// SPDX-License-Identifier: MIT
// Runs that are told to stop, on the host's threads and on the plugin's.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <chrono>
#include <thread>

#include "base/test_waiting.h"
#include "tests/plugin/support.h"
#include "tests/plugin/test_run.h"

namespace mlos::plugin {
namespace {

using std::chrono::milliseconds;

tensor::Tensor Scalar(std::int64_t value) {
  return MakeTensor<std::int64_t>(tensor::DType::kInt64, {value}, {});
}

TEST(Stop, WakesARunOnTheHostsThreadThatListens) {
  const auto engine = MustLoad(Fixture("worker_in_place"));
  const auto model = MustLoadModel(*engine, "m");
  const auto start = std::chrono::steady_clock::now();
  EXPECT_EQ(
      Stopped(*model, Request("count", Scalar(1), "sleep_ms", Scalar(60'000)), milliseconds(20))
          .reason(),
      Reason::kCancelled);
  EXPECT_LT(std::chrono::steady_clock::now() - start, std::chrono::seconds(30));
}

TEST(Stop, IsNoticedByALoopThatLooksAtTheWord) {
  const auto engine = MustLoad(Fixture("worker_in_place"));
  const auto model = MustLoadModel(*engine, "m");
  auto request = Request("count", Scalar(1), "sleep_ms", Scalar(60'000));
  request.inputs.push_back({"burn", Scalar(1)});
  EXPECT_EQ(Stopped(*model, request, milliseconds(20)).reason(), Reason::kCancelled);
}

TEST(Stop, OfAPluginThatDoesNotListenWaitsForIt) {
  const auto engine = MustLoad(Fixture("worker_in_place"));
  const auto model = MustLoadModel(*engine, "m");
  // It is told once it has begun, if the machine lets it begin by then.
  EXPECT_TRUE(WithTimeEnough(milliseconds(5), [&](milliseconds delay) {
    auto request = Request("count", Scalar(2), "sleep_ms", Scalar(6 * delay.count()));
    request.inputs.push_back({"deaf", Scalar(1)});
    return Stopped(*model, request, delay).ok();
  }));
}

TEST(Stop, WakesARunOnAThreadOfThePlugin) {
  const auto engine = MustLoad(Fixture("worker"));
  const auto model = MustLoadModel(*engine, "m");
  TestRun run(Request("count", Scalar(1), "sleep_ms", Scalar(600'000)));
  run.On(*model).stop().Request();
  EXPECT_EQ(run.Ended().reason(), Reason::kCancelled);
  TestRun stopped_before(Request("count", Scalar(1), "sleep_ms", Scalar(600'000)));
  stopped_before.stop().Request();
  EXPECT_EQ(stopped_before.On(*model).Ended().reason(), Reason::kCancelled);
}

TEST(Stop, LeavesTheRunOfADeafPluginOpenUntilItEnds) {
  const auto engine = MustLoad(Fixture("worker"));
  const auto model = MustLoadModel(*engine, "m");
  // It is told before its first response, if the machine lets this thread on by then.
  EXPECT_TRUE(WithTimeEnough(milliseconds(30), [&](milliseconds time) {
    auto request = Request("count", Scalar(3), "sleep_ms", Scalar(time.count()));
    request.inputs.push_back({"deaf", Scalar(1)});
    TestRun run(std::move(request));
    run.On(*model).stop().Request();
    const bool open = run.is_open();
    EXPECT_EQ(run.Ended().reason(), Reason::kCancelled);
    return open && run.response_count() == 0;  // nobody waits for them
  }));
}

TEST(Stop, ManyRunsAtOnceEndWithTheirOwnPlugin) {
  auto engine = MustLoad(Fixture("worker"));
  auto model = MustLoadModel(*engine, "m");
  std::vector<std::unique_ptr<TestRun>> runs;
  for (int i = 0; i < 30; ++i) {
    runs.push_back(std::make_unique<TestRun>(Request("count", Scalar(-1), "sleep_ms", Scalar(1))));
    runs.back()->On(*model);
  }
  for (const auto& run : runs) run->stop().Request();
  for (const auto& run : runs) EXPECT_EQ(run->Ended().reason(), Reason::kCancelled);
  model.reset();
  engine.reset();
  for (const auto& run : runs) run->Take();
  EXPECT_FALSE(IsMapped("fixtures/worker.so"));
}

}  // namespace
}  // namespace mlos::plugin
