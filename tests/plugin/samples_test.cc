// SPDX-License-Identifier: MIT
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <fstream>
#include <thread>

#include "tests/plugin/support.h"
#include "tests/plugin/test_run.h"

namespace mlos::plugin {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

/// The path of a new file that holds `text`.
std::filesystem::path ModelFile(std::string_view text) {
  static int count = 0;
  const auto path = std::filesystem::path(::testing::TempDir()) /
                    ("mlos-echo-" + std::to_string(::getpid()) + "-" + std::to_string(++count));
  std::ofstream(path) << text;
  return path;
}

TEST(EchoSample, ScalesAndSums) {
  const auto engine = MustLoad(Sample("echo_c"), {.expected_id = "echo-c"});
  EXPECT_EQ(engine->name(), "Echo sample (C)");
  EXPECT_THAT(engine->formats(), ElementsAre("echo"));
  EXPECT_EQ(engine->health(), engine::EngineHealth::kOk);
  const auto model = MustLoadModel(*engine, "echo", ModelFile("2.5"));
  EXPECT_EQ(ToString(model->schema().inputs[0]), "[n]");
  EXPECT_EQ(ToString(model->schema().outputs[1]), "[]");
  {
    const auto response = model->Infer(Request("x", Floats({1, 2, -4})), nullptr);
    ASSERT_TRUE(response.ok()) << response.status();
    EXPECT_THAT(FloatsOf(response->outputs[0].tensor), ElementsAre(2.5, 5, -10));
    EXPECT_THAT(FloatsOf(response->outputs[1].tensor), ElementsAre(-2.5));
    EXPECT_EQ(engine->memory().arena_bytes, 12u) << "the output is in the host's accounts";
  }
  EXPECT_EQ(engine->memory().arena_bytes, 0u);
  EXPECT_EQ(MetricOf(*engine, "echo_runs"), 1);
}

TEST(EchoSample, RunsConcurrently) {
  const auto engine = MustLoad(Sample("echo_c"));
  const auto model = MustLoadModel(*engine, "echo", ModelFile("3"));
  std::vector<std::thread> threads;
  for (int t = 0; t < 4; ++t) {
    threads.emplace_back([&model, t] {
      for (int i = 0; i < 200; ++i) {
        const auto value = static_cast<float>(t * 1000 + i);
        const auto response = model->Infer(Request("x", Floats({value})), nullptr);
        ASSERT_TRUE(response.ok()) << response.status();
        ASSERT_THAT(FloatsOf(response->outputs[0].tensor), ElementsAre(3 * value));
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(MetricOf(*engine, "echo_runs"), 800);
}

TEST(EchoSample, SaysWhatIsWrong) {
  const auto engine = MustLoad(Sample("echo_c"));
  const auto broken = engine->Load({.model_id = "m", .path = ModelFile("two")});
  EXPECT_EQ(broken.status().reason(), Reason::kInvalidModel);
  EXPECT_EQ(broken.status().message(), "the model file does not hold a number");
  const auto model = MustLoadModel(*engine, "echo", ModelFile("1"));
  const auto rejected = model->Infer(Request("x", Int64s({1})), nullptr);
  EXPECT_EQ(rejected.status().reason(), Reason::kInferenceRejected);
  EXPECT_EQ(rejected.status().field(), "x");
}

TEST(EchoSample, TakesItsMemoryFromTheHostsBudget) {
  const auto engine = MustLoad(Sample("echo_c"), {.arena_bytes_max = 1024});
  const auto model = MustLoadModel(*engine, "echo", ModelFile("1"));
  const auto response = model->Infer(Request("x", Floats(std::vector<float>(1000))), nullptr);
  EXPECT_EQ(response.status().reason(), Reason::kOutOfMemory);
  EXPECT_TRUE(model->Infer(Request("x", Floats(std::vector<float>(100))), nullptr).ok());
}

TEST(EchoSample, RefusesAConfiguration) {
  const auto engine = LoadPlugin(Sample("echo_c"), {.config = "{\"a\":1}"});
  EXPECT_EQ(engine.status().reason(), Reason::kInvalidConfig);
  EXPECT_EQ(engine.status().field(), "config");
}

TEST(EchoSample, IsUnmappedWhenItsLastReferenceDiesAndLoadsAgain) {
  for (int round = 0; round < 3; ++round) {
    auto engine = MustLoad(Sample("echo_c"));
    auto model = MustLoadModel(*engine, "echo", ModelFile("1"));
    engine.reset();
    EXPECT_TRUE(IsMapped("libecho_c.so")) << "the model still runs";
    EXPECT_TRUE(model->Infer(Request("x", Floats({1})), nullptr).ok());
    model.reset();
    EXPECT_FALSE(IsMapped("libecho_c.so"));
  }
}

tensor::Tensor Count(std::int64_t count) {
  return MakeTensor<std::int64_t>(tensor::DType::kInt64, {count}, {});
}

TEST(StreamSample, AnswersOneRequestThroughExecute) {
  const auto engine = MustLoad(Sample("stream_c"));
  const auto model = MustLoadModel(*engine, "stream");
  const auto response = Answer(*model, Request("count", Count(1)));
  ASSERT_TRUE(response.ok()) << response.status();
  ASSERT_EQ(response->outputs.size(), 1u);
  EXPECT_EQ(response->outputs[0].name, "number");
  EXPECT_EQ(response->outputs[0].tensor.elements<std::int64_t>()[0], 0);
}

TEST(StreamSample, HandsOverEachResponseInOrderUntilNoMoreAreWanted) {
  const auto engine = MustLoad(Sample("stream_c"));
  const auto model = MustLoadModel(*engine, "stream");
  TestRun all(Request("count", Count(5)));
  EXPECT_TRUE(all.On(*model).Ended().ok());
  EXPECT_THAT(all.Numbers(), ElementsAre(0, 1, 2, 3, 4));
  TestRun some(Request("count", Count(5)));
  some.set_wanted(2);
  EXPECT_EQ(some.On(*model).Ended().reason(), Reason::kCancelled);
  EXPECT_THAT(some.Numbers(), ElementsAre(0, 1));
}

TEST(StreamSample, EndsForACallerWhoHasLeftAndForOneWhoAsksWrongly) {
  const auto engine = MustLoad(Sample("stream_c"));
  const auto model = MustLoadModel(*engine, "stream");
  TestRun left(Request("count", Count(5)));
  left.stop().Request();
  EXPECT_EQ(left.On(*model).Ended().reason(), Reason::kCancelled);
  EXPECT_LE(left.response_count(), 1u);
  const auto rejected = Answer(*model, Request("count", Count(0)));
  EXPECT_EQ(rejected.status().reason(), Reason::kInferenceRejected);
  EXPECT_EQ(rejected.status().field(), "count");
  engine::InferenceRequest other = Request("count", Count(1));
  other.requested_outputs = {"letter"};
  EXPECT_THAT(std::string(Answer(*model, std::move(other)).status().message()),
              HasSubstr("has not given output \"letter\""));
}

}  // namespace
}  // namespace mlos::plugin
