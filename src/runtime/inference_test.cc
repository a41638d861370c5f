// SPDX-License-Identifier: MIT
// Requests on their way through the runtime: times, deadlines, counts, draining.

#include <thread>

#include "base/test_waiting.h"
#include "runtime/runtime_fixture.h"

namespace mlos::runtime {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

constexpr std::uint64_t kInputBytes = sizeof(float);
// A run of the slow model: longer than a busy machine keeps a test from its next line.
constexpr std::int64_t kSlowUs = 400'000;

class InferenceTest : public RuntimeTest {
 protected:
  void SetUp() override {
    RuntimeTest::SetUp();
    options_.compute_threads = 1;
    options_.queue_length_max = 1;
    StartWithPlugin();
    ASSERT_TRUE(Register("fast", Model("fast", "2")).ok());
    ASSERT_TRUE(Register("slow", Model("slow", "2 400")).ok());
    fast_ = runtime_->Acquire("fast").value();
    slow_ = runtime_->Acquire("slow").value();
  }
  void TearDown() override {
    fast_.reset();
    slow_.reset();
    RuntimeTest::TearDown();
  }
  metrics::ModelStats StatsOf(const std::string& model_id) {
    for (metrics::ModelStats& stats : runtime_->stats().Models()) {
      if (stats.model_id == model_id) return stats;
    }
    return {};
  }

  std::shared_ptr<catalog::ServedModel> fast_;
  std::shared_ptr<catalog::ServedModel> slow_;
};

TEST_F(InferenceTest, MeasuresWhatItRuns) {
  const engine::InferenceResponse response = Ask(slow_, 3).get().value();
  EXPECT_EQ(response.outputs[0].name, "y");
  EXPECT_GE(response.inference_time_us, kSlowUs);
  EXPECT_GE(slow_->runner().run_times().Expected(kInputBytes), kSlowUs);
  const metrics::ModelStats stats = StatsOf("slow");
  EXPECT_EQ(stats.success_count, 1U);
  EXPECT_EQ(stats.plugin_id, "acting");
  EXPECT_GE(stats.run_time.p50_us, kSlowUs * 31 / 32);
}

TEST_F(InferenceTest, AShortModelThatIsIdleAnswersBeforeInferReturns) {
  EXPECT_TRUE(Ask(fast_, 1).get().ok());
  scheduler::RunTimes& times = fast_->runner().run_times();
  times.Record(1, kInputBytes);  // whatever the machine made of the first run
  while (times.Expected(kInputBytes) > 500) times.Record(1, kInputBytes);
  auto answer = Ask(fast_, 1);
  ASSERT_EQ(answer.wait_for(seconds(0)), std::future_status::ready);
  EXPECT_EQ(answer.get().value().queue_time_us, 0);
}

TEST_F(InferenceTest, TheAnswerKeepsTheModelItCameFrom) {
  Result<engine::InferenceResponse> response = Ask(fast_, 3).get();
  const std::weak_ptr<catalog::ServedModel> model = fast_;
  fast_.reset();
  ASSERT_TRUE(runtime_->RemoveModel("fast").ok());
  EXPECT_FALSE(model.expired());
  EXPECT_EQ(response->outputs[0].tensor.elements<float>()[0], 6);
  response = Status(Reason::kCancelled, "let go");
  EXPECT_TRUE(Eventually([&] { return model.expired(); })) << "the job may end after its answer";
}

TEST_F(InferenceTest, WhatTheRequestKeptIsLetGoBeforeTheAnswer) {
  auto kept = std::make_shared<int>(7);
  const std::weak_ptr<int> watched = kept;
  engine::InferenceRequest request;
  request.inputs = Input(1);
  request.keepalive = std::move(kept);
  std::promise<bool> expired;
  runtime_->Infer(fast_, std::move(request), [&](const Result<engine::InferenceResponse>&) {
    expired.set_value(watched.expired());
  });
  EXPECT_TRUE(expired.get_future().get());
}

TEST_F(InferenceTest, ADeadlineThatPassesWhileItRunsIsNoAnswer) {
  const auto outcome = Ask(slow_, 1, SteadyClock::now() + milliseconds(20)).get();
  ASSERT_FALSE(outcome.ok());
  EXPECT_EQ(outcome.status().reason(), Reason::kDeadlineExceeded);
  ASSERT_EQ(StatsOf("slow").errors.size(), 1U);
  EXPECT_EQ(StatsOf("slow").errors[0].reason, Reason::kDeadlineExceeded);
}

TEST_F(InferenceTest, MoreThanTheQueueHoldsIsRefused) {
  auto running = Ask(slow_, 1);
  while (slow_->runner().waiting() > 0) std::this_thread::yield();
  auto waiting = Ask(slow_, 1);
  const auto refused = Ask(slow_, 1).get();
  ASSERT_FALSE(refused.ok());
  EXPECT_EQ(refused.status().reason(), Reason::kOverloaded);
  EXPECT_TRUE(running.get().ok());
  EXPECT_TRUE(waiting.get().ok());
}

TEST_F(InferenceTest, TheModelsRefusalIsTheClientsFault) {
  engine::InferenceRequest request;
  request.inputs = Input(1);
  request.inputs[0].tensor = tensor::Tensor::Allocate(tensor::DType::kFloat32, {0}).value();
  std::promise<Status> outcome;
  runtime_->Infer(fast_, std::move(request), [&](const Result<engine::InferenceResponse>& r) {
    outcome.set_value(r.status());
  });
  const Status status = outcome.get_future().get();
  ASSERT_FALSE(status.ok());
  EXPECT_EQ(status.code(), StatusCode::kInvalidArgument) << status;
  EXPECT_EQ(status.field(), "x") << status;
}

TEST_F(InferenceTest, FailuresToAcquireCountForTheModel) {
  ASSERT_TRUE(runtime_->UnloadModel("fast").ok());
  EXPECT_FALSE(runtime_->Acquire("fast").ok());
  ASSERT_EQ(StatsOf("fast").errors.size(), 1U);
  EXPECT_EQ(StatsOf("fast").errors[0].reason, Reason::kModelNotLoaded);
}

TEST_F(InferenceTest, DrainAnswersWhatRunsAndRefusesTheRest) {
  auto running = Ask(slow_, 1);
  EXPECT_TRUE(runtime_->ready());
  EXPECT_TRUE(runtime_->Drain(SteadyClock::now() + seconds(30)));
  EXPECT_FALSE(runtime_->ready());
  EXPECT_EQ(running.wait_for(seconds(0)), std::future_status::ready);
  EXPECT_EQ(Ask(fast_, 1).get().status().reason(), Reason::kDraining);
  EXPECT_EQ(runtime_->Acquire("fast").status().reason(), Reason::kDraining);
  EXPECT_EQ(Register("new", Model("new", "1")).status().reason(), Reason::kDraining);
}

TEST_F(InferenceTest, DrainGivesUpAtItsDeadline) {
  auto running = Ask(slow_, 1);
  EXPECT_FALSE(runtime_->Drain(SteadyClock::now() + milliseconds(10)));
  EXPECT_TRUE(running.get().ok());
}

TEST_F(InferenceTest, WhatNobodyWaitsForIsNotRun) {
  const auto cancellation = std::make_shared<engine::Cancellation>();
  auto running = Ask(slow_, 1);
  while (slow_->runner().waiting() > 0) std::this_thread::yield();
  engine::InferenceRequest request;
  request.inputs = Input(1);
  request.cancellation = cancellation;
  std::promise<Status> outcome;
  runtime_->Infer(slow_, std::move(request), [&](const Result<engine::InferenceResponse>& answer) {
    outcome.set_value(answer.status());
  });
  cancellation->Cancel();
  EXPECT_EQ(outcome.get_future().get().reason(), Reason::kCancelled);
  EXPECT_TRUE(running.get().ok());
  const metrics::ModelStats stats = StatsOf("slow");
  EXPECT_EQ(stats.success_count, 1U);
  ASSERT_EQ(stats.errors.size(), 1U);
  EXPECT_EQ(stats.errors[0].reason, Reason::kCancelled);
}

TEST_F(InferenceTest, AModelThatAnswersOnceIsAStreamOfOne) {
  for (const auto& model : {fast_, slow_}) {
    engine::InferenceRequest request;
    request.inputs = Input(3);
    std::vector<float> answers;
    std::promise<Status> end;
    runtime_->Stream(model, std::move(request),
                     SinkOf(
                         [&](const engine::InferenceResponse& response) {
                           answers.push_back(response.outputs[0].tensor.elements<float>()[0]);
                         },
                         [&](Status status) { end.set_value(std::move(status)); }));
    EXPECT_TRUE(end.get_future().get().ok());
    EXPECT_EQ(answers, std::vector<float>{6});
    EXPECT_EQ(StatsOf(model->model_id()).success_count, 1U);
  }
}

}  // namespace
}  // namespace mlos::runtime
