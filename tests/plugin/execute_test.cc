// SPDX-License-Identifier: MIT
// Runs that a plugin takes on through execute() and answers from any thread, now or later.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <chrono>
#include <fstream>
#include <thread>

#include "tests/plugin/support.h"
#include "tests/plugin/test_run.h"

namespace mlos::plugin {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::Not;
using ::testing::SizeIs;

constexpr std::int64_t kQuarterCredit = engine::Credit::kBytesMax / 4;

tensor::Tensor Number(std::int64_t value) {
  return MakeTensor<std::int64_t>(tensor::DType::kInt64, {value}, {});
}

/// What a worker, a teller or the stream sample shall do.
engine::InferenceRequest Work(std::initializer_list<std::pair<const char*, std::int64_t>> inputs) {
  engine::InferenceRequest request;
  for (const auto& [name, value] : inputs) request.inputs.push_back({name, Number(value)});
  return request;
}

engine::InferenceRequest WithCredit(engine::InferenceRequest request) {
  request.credit = std::make_shared<engine::Credit>();
  return request;
}

std::vector<std::int64_t> UpTo(std::int64_t count) {
  std::vector<std::int64_t> numbers;
  for (std::int64_t i = 0; i < count; ++i) numbers.push_back(i);
  return numbers;
}

TEST(Execute, ReturnsWhileItsRunsAreAnsweredFromThreadsOfThePlugin) {
  const auto engine = MustLoad(Fixture("worker"));
  const auto model = MustLoadModel(*engine, "m");
  EXPECT_FALSE(model->answers_in_place());
  EXPECT_TRUE(model->streams());
  TestRun run(Work({{"count", 3}, {"sleep_ms", 20}}));
  run.On(*model);
  EXPECT_TRUE(run.is_open());
  EXPECT_TRUE(run.Ended().ok());
  EXPECT_EQ(run.Numbers(), UpTo(3));
}

TEST(Execute, IsGivenAllRunsAtOnceAndTheirSequences) {
  const auto engine = MustLoad(Fixture("worker"));
  const auto model = MustLoadModel(*engine, "m");
  auto in_sequence = Work({{"count", 1}});
  in_sequence.sequence = std::make_unique<engine::SequenceStep>(
      engine::SequenceStep{.id = "s", .number = 42, .start = true});
  TestRun first(Work({{"count", 1}}));
  TestRun second(std::move(in_sequence));
  TestRun third(Work({{"count", 0}}));
  engine::Run* const runs[] = {&first, &second, &third};
  model->Submit(runs);
  for (TestRun* run : {&first, &second, &third}) EXPECT_TRUE(run->Ended().ok());
  EXPECT_EQ(MetricOf(*engine, "requests_together"), 3);
  const auto sequence_of = [](TestRun& run) {
    return run.Take().at(0).outputs.at(2).tensor.elements<std::int64_t>()[0];
  };
  EXPECT_EQ(sequence_of(first), 0);
  EXPECT_EQ(sequence_of(second), 42);
  EXPECT_THAT(third.Take(), SizeIs(0));
}

TEST(Execute, ThatRefusesSeveralRunsIsGivenEachAlone) {
  const auto engine = MustLoad(Fixture("teller"));
  const auto model = MustLoadModel(*engine, "m");
  TestRun good(Work({{"count", 2}}));
  TestRun bad(Work({{"count", 2}, {"refuse", 1}}));
  engine::InferenceRequest unfit = Work({{"count", 2}});
  unfit.inputs.push_back({std::string("a\0b", 3), Number(1)});
  TestRun misnamed(std::move(unfit));
  engine::Run* const runs[] = {&good, &bad, &misnamed};
  model->Submit(runs);
  EXPECT_TRUE(good.Ended().ok());
  EXPECT_EQ(good.Numbers(), UpTo(2));
  EXPECT_EQ(bad.Ended().field(), "refuse");
  EXPECT_EQ(misnamed.Ended().field(), "inputs");
}

TEST(Execute, AReasonIsNotRepeatedForTheNextRequestOfTheSameThread) {
  const auto engine = MustLoad(Fixture("teller"));
  const auto model = MustLoadModel(*engine, "m");
  TestRun said(Work({{"count", 2}, {"fail_at", 1}}));
  TestRun silent(Work({{"count", 2}, {"mute", 1}}));
  engine::Run* const runs[] = {&said, &silent};
  model->Submit(runs);
  EXPECT_THAT(std::string(said.Ended().message()), HasSubstr("the story has no end"));
  EXPECT_THAT(std::string(silent.Ended().message()), HasSubstr("no reason given"));
}

TEST(Execute, WhatAThreadSaidForOneCallerNeverReachesALaterOne) {
  const auto engine = MustLoad(Fixture("gossip"));
  const auto model = MustLoadModel(*engine, "m");
  TestRun first(Work({{"say", 1}}));
  EXPECT_EQ(first.On(*model).Ended().reason(), Reason::kPluginFailed);
  TestRun second(Work({}));
  const Status status = second.On(*model).Ended();
  EXPECT_THAT(std::string(status.message()), HasSubstr("no reason given"));
  EXPECT_THAT(std::string(status.message()), Not(HasSubstr("secret")));
}

TEST(Execute, OutputsThatAreWrongEndTheRunAndAreToldAtOnce) {
  const auto engine = MustLoad(Fixture("worker"));
  const auto model = MustLoadModel(*engine, "m");
  auto request = Work({{"count", -1}, {"sleep_ms", 1}});
  request.requested_outputs = {"letter"};
  TestRun run(std::move(request));
  const Status status = run.On(*model).Ended();
  EXPECT_EQ(status.reason(), Reason::kPluginFailed);
  EXPECT_THAT(std::string(status.message()), HasSubstr("has not given output \"letter\""));
  ASSERT_TRUE(run.will_fail().has_value());
  EXPECT_EQ(run.will_fail()->message(), status.message());
}

TEST(Execute, ARunThatWantsNoMoreEnds) {
  const auto engine = MustLoad(Fixture("worker"));
  const auto model = MustLoadModel(*engine, "m");
  TestRun run(Work({{"count", -1}}));
  run.set_wanted(5);
  EXPECT_EQ(run.On(*model).Ended().reason(), Reason::kCancelled);
  EXPECT_EQ(run.Numbers(), UpTo(5));
}

class CreditOf : public ::testing::TestWithParam<const char*> {
 protected:
  std::filesystem::path Path() const {
    const std::string name = GetParam();
    return name == "stream_c" ? Sample(name) : Fixture(name);
  }
};

TEST_P(CreditOf, ASlowReaderPausesTheModelAndResumesIt) {
  const auto engine = MustLoad(Path());
  const auto model = MustLoadModel(*engine, "m");
  TestRun run(WithCredit(Work({{"count", 100}})));
  run.set_bytes_each(kQuarterCredit);
  run.On(*model);
  std::size_t read = 0;
  while (read < 100) {
    const std::size_t written = std::min<std::size_t>(100, read + 4);
    ASSERT_TRUE(run.HasResponses(written));
    EXPECT_LE(run.response_count(), written) << "more than there is room for";
    run.request().credit->Release(kQuarterCredit);
    ++read;
  }
  EXPECT_TRUE(run.Ended().ok());
  EXPECT_EQ(run.Numbers(), UpTo(100));
}

TEST_P(CreditOf, AReaderWhoLeavesWhileTheModelPausesEndsTheRun) {
  const auto engine = MustLoad(Path());
  const auto model = MustLoadModel(*engine, "m");
  TestRun run(WithCredit(Work({{"count", 100}})));
  run.set_bytes_each(kQuarterCredit);
  ASSERT_TRUE(run.On(*model).HasResponses(4));
  std::this_thread::sleep_for(std::chrono::milliseconds(20));
  EXPECT_TRUE(run.is_open());
  EXPECT_EQ(run.response_count(), 4u);
  run.stop().Request();
  EXPECT_EQ(run.Ended().reason(), Reason::kCancelled);
  EXPECT_EQ(run.response_count(), 4u);
}

TEST_P(CreditOf, ManySlowReadersCostNoThreadOfTheHost) {
  const auto engine = MustLoad(Path());
  const auto model = MustLoadModel(*engine, "m");
  std::vector<std::unique_ptr<TestRun>> runs;
  for (int i = 0; i < 50; ++i) {
    runs.push_back(std::make_unique<TestRun>(WithCredit(Work({{"count", 6}}))));
    runs.back()->set_bytes_each(kQuarterCredit);
    ASSERT_TRUE(runs.back()->On(*model).HasResponses(4));
  }
  for (const auto& run : runs) run->request().credit->Release(4 * kQuarterCredit);
  for (const auto& run : runs) {
    EXPECT_TRUE(run->Ended().ok());
    EXPECT_EQ(run->Numbers(), UpTo(6));
  }
}

INSTANTIATE_TEST_SUITE_P(Table, CreditOf, ::testing::Values("stream_c", "worker"),
                         [](const auto& info) { return std::string(info.param); });

TEST(Credit, AModelThatGoesOnWithoutRoomIsEnded) {
  const auto engine = MustLoad(Fixture("worker"));
  const auto model = MustLoadModel(*engine, "m");
  TestRun run(WithCredit(Work({{"count", -1}, {"greedy", 1}})));
  run.set_bytes_each(kQuarterCredit);
  EXPECT_EQ(run.On(*model).Ended().reason(), Reason::kOverloaded);
  EXPECT_EQ(run.will_fail()->reason(), Reason::kOverloaded);
  EXPECT_EQ(run.response_count(), 16u) << "four times the credit";
}

TEST(Credit, OneAnswerLargerThanAllOfItIsTaken) {
  const auto engine = MustLoad(Fixture("worker"));
  const auto model = MustLoadModel(*engine, "m");
  TestRun run(WithCredit(Work({{"count", 2}})));
  run.set_bytes_each(2 * engine::Credit::kBytesEnd);
  ASSERT_TRUE(run.On(*model).HasResponses(1));
  run.request().credit->Release(2 * engine::Credit::kBytesEnd);
  EXPECT_TRUE(run.Ended().ok());
  EXPECT_EQ(run.Numbers(), UpTo(2));
}

TEST(Execute, ALateFinalResponseMayLetGoOfTheModelAndItsPlugin) {
  auto engine = MustLoad(Fixture("worker"));
  auto model = MustLoadModel(*engine, "m");
  TestRun run(Work({{"count", 2}, {"sleep_ms", 20}}));
  run.set_on_end([&] {  // on the plugin's thread, which cleanup waits for
    model.reset();
    engine.reset();
  });
  EXPECT_TRUE(run.On(*model).Ended().ok());
  EXPECT_THAT(run.Take(), SizeIs(2));
  for (int i = 0; i < 6'000 && IsMapped("fixtures/worker.so"); ++i) {
    std::this_thread::sleep_for(std::chrono::milliseconds(10));
  }
  EXPECT_FALSE(IsMapped("fixtures/worker.so"));
}

TEST(FirstHeader, APluginCompiledWithItAnswersInPlace) {
  const auto engine = MustLoad(Fixture("echo_first"), {.expected_id = "echo-c"});
  const auto file = std::filesystem::path(::testing::TempDir()) /
                    ("mlos-echo-first-" + std::to_string(::getpid()));
  std::ofstream(file) << "2";
  const auto model = MustLoadModel(*engine, "m", file);
  std::filesystem::remove(file);
  EXPECT_TRUE(model->answers_in_place());
  engine::Stop stop;
  const auto response = model->Infer(Request("x", Floats({1, 2})), &stop);
  ASSERT_TRUE(response.ok()) << response.status();
  EXPECT_THAT(FloatsOf(response->outputs[0].tensor), ElementsAre(2, 4));
}

TEST(FirstHeader, APluginCompiledWithItStreamsAndIsStopped) {
  const auto engine = MustLoad(Fixture("teller_first"));
  const auto model = MustLoadModel(*engine, "m");
  EXPECT_FALSE(model->time_given_by_shapes());
  TestRun all(WithCredit(Work({{"count", 5}})));
  EXPECT_TRUE(all.On(*model).Ended().ok());
  EXPECT_EQ(all.Numbers(), UpTo(5));
  TestRun some(Work({{"count", 1'000'000}}));
  some.set_wanted(3);
  EXPECT_EQ(some.On(*model).Ended().reason(), Reason::kCancelled);
  EXPECT_THAT(some.Numbers(), ElementsAre(0, 1, 2));
}

}  // namespace
}  // namespace mlos::plugin
