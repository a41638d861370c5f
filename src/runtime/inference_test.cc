// SPDX-License-Identifier: MIT
// Requests on their way through the runtime: times, deadlines, counts, draining.

#include <filesystem>
#include <fstream>
#include <string>

#include "base/test_waiting.h"
#include "runtime/runtime_fixture.h"

namespace mlos::runtime {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

// A run of the slow model.
constexpr std::int64_t kSlowUs = 20'000;

class InferenceTest : public RuntimeTest {
 protected:
  void SetUp() override {
    RuntimeTest::SetUp();
    hold_ = folder() / "hold";
    options_.compute_threads = 1;
    options_.queue_length_max = 1;
    StartWithPlugin();
    ASSERT_TRUE(Register("fast", Model("fast", "2")).ok());
    ASSERT_TRUE(Register("slow", Model("slow", "2 20 " + hold_)).ok());
  }
  void TearDown() override {
    LetGo();
    RuntimeTest::TearDown();
  }
  /// Until `LetGo`, the slow model ends no run.
  void Hold() { std::ofstream(hold_).put('h'); }
  void LetGo() { std::filesystem::remove(hold_); }
  std::future<Outcome> AskFast(float x) { return Ask(Admit("fast").value(), x); }
  std::future<Outcome> AskSlow(float x, Deadline deadline = kNoDeadline) {
    return Ask(Admit("slow").value(), x, deadline);
  }
  /// Until the slow model runs all that it was asked.
  void AwaitEmptyQueue() {
    const std::string empty = "mlos_model_queue_length{model=\"slow\"} 0\n";
    ASSERT_TRUE(
        Eventually([&] { return runtime_->PrometheusText().find(empty) != std::string::npos; }));
  }
  metrics::ModelStats StatsOf(const std::string& model_id) {
    for (metrics::ModelStats& stats : runtime_->stats().Models()) {
      if (stats.model_id == model_id) return stats;
    }
    return {};
  }

 private:
  std::string hold_;
};

TEST_F(InferenceTest, MeasuresWhatItRuns) {
  const engine::InferenceResponse response = AskSlow(3).get().value();
  EXPECT_EQ(response.outputs[0].name, "y");
  EXPECT_GE(response.inference_time_us, kSlowUs);
  const metrics::ModelStats stats = StatsOf("slow");
  EXPECT_EQ(stats.success_count, 1U);
  EXPECT_EQ(stats.plugin_id, "acting");
  EXPECT_GE(stats.run_time.p50_us, kSlowUs * 31 / 32);
}

TEST_F(InferenceTest, AShortModelThatIsIdleAnswersBeforeRunReturns) {
  // The machine may make anything of one run: its time is known after some.
  EXPECT_TRUE(Eventually([&] {
    auto answer = AskFast(1);
    const bool at_once = answer.wait_for(seconds(0)) == std::future_status::ready;
    return answer.get().value().queue_time_us == 0 && at_once;
  }));
}

TEST_F(InferenceTest, TheAnswerKeepsTheModelItCameFrom) {
  Outcome response = AskFast(3).get();
  const std::weak_ptr<const void> model = response->owner;
  ASSERT_TRUE(runtime_->RemoveModel("fast").ok());
  EXPECT_FALSE(model.expired());
  EXPECT_EQ(response->outputs[0].tensor.elements<float>()[0], 6);
  response = Status(Reason::kCancelled, "let go");
  EXPECT_TRUE(Eventually([&] { return model.expired(); })) << "the job may end after its answer";
}

TEST_F(InferenceTest, WhatTheRequestKeptIsLetGoBeforeTheAnswer) {
  auto kept = std::make_shared<int>(7);
  const std::weak_ptr<int> watched = kept;
  engine::InferenceRequest request = RequestFor(1);
  request.keepalive = std::move(kept);
  std::promise<bool> expired;
  Admit("fast")->Run(std::move(request), Fit::kExact,
                     [&](const Outcome&) { expired.set_value(watched.expired()); });
  EXPECT_TRUE(expired.get_future().get());
}

TEST_F(InferenceTest, ADeadlineThatPassesWhileItRunsIsNoAnswer) {
  Hold();
  const auto outcome = AskSlow(1, SteadyClock::now() + milliseconds(20)).get();
  LetGo();
  ASSERT_FALSE(outcome.ok());
  EXPECT_EQ(outcome.status().reason(), Reason::kDeadlineExceeded);
  ASSERT_EQ(StatsOf("slow").errors.size(), 1U);
  EXPECT_EQ(StatsOf("slow").errors[0].reason, Reason::kDeadlineExceeded);
}

TEST_F(InferenceTest, MoreThanTheQueueHoldsIsRefused) {
  Hold();
  auto running = AskSlow(1);
  AwaitEmptyQueue();
  auto waiting = AskSlow(1);
  const auto refused = AskSlow(1).get();
  LetGo();
  ASSERT_FALSE(refused.ok());
  EXPECT_EQ(refused.status().reason(), Reason::kOverloaded);
  EXPECT_TRUE(running.get().ok());
  EXPECT_TRUE(waiting.get().ok());
}

TEST_F(InferenceTest, TheModelsRefusalIsTheClientsFault) {
  engine::InferenceRequest request = RequestFor(1);
  request.inputs[0].tensor = tensor::Tensor::Allocate(tensor::DType::kFloat32, {0}).value();
  const Status status = Run(Admit("fast").value(), std::move(request)).get().status();
  ASSERT_FALSE(status.ok());
  EXPECT_EQ(status.code(), StatusCode::kInvalidArgument) << status;
  EXPECT_EQ(status.field(), "x") << status;
}

TEST_F(InferenceTest, FailuresToAcquireCountForTheModel) {
  ASSERT_TRUE(runtime_->UnloadModel("fast").ok());
  EXPECT_FALSE(Admit("fast").ok());
  ASSERT_EQ(StatsOf("fast").errors.size(), 1U);
  EXPECT_EQ(StatsOf("fast").errors[0].reason, Reason::kModelNotLoaded);
}

TEST_F(InferenceTest, DrainAnswersWhatRunsAndRefusesTheRest) {
  auto running = AskSlow(1);
  const Ticket admitted = Admit("fast").value();
  EXPECT_TRUE(runtime_->ready());
  EXPECT_TRUE(runtime_->Drain(SteadyClock::now() + seconds(30)));
  EXPECT_FALSE(runtime_->ready());
  EXPECT_EQ(running.wait_for(seconds(0)), std::future_status::ready);
  EXPECT_EQ(Ask(admitted, 1).get().status().reason(), Reason::kDraining);
  EXPECT_EQ(RefusalOf("fast"), Reason::kDraining);
  EXPECT_EQ(Register("new", Model("new", "1")).status().reason(), Reason::kDraining);
}

TEST_F(InferenceTest, DrainGivesUpAtItsDeadline) {
  Hold();
  auto running = AskSlow(1);
  EXPECT_FALSE(runtime_->Drain(SteadyClock::now() + milliseconds(10)));
  LetGo();
  EXPECT_TRUE(running.get().ok());
}

TEST_F(InferenceTest, WhatNobodyWaitsForIsNotRun) {
  const auto cancellation = std::make_shared<engine::Cancellation>();
  Hold();
  auto running = AskSlow(1);
  AwaitEmptyQueue();
  engine::InferenceRequest request = RequestFor(1);
  request.cancellation = cancellation;
  auto unwanted = Run(Admit("slow").value(), std::move(request));
  cancellation->Cancel();
  EXPECT_EQ(unwanted.get().status().reason(), Reason::kCancelled);
  LetGo();
  EXPECT_TRUE(running.get().ok());
  const metrics::ModelStats stats = StatsOf("slow");
  EXPECT_EQ(stats.success_count, 1U);
  ASSERT_EQ(stats.errors.size(), 1U);
  EXPECT_EQ(stats.errors[0].reason, Reason::kCancelled);
}

/// Keeps the answers of a stream.
class KeepingSink : public ResponseSink {
 public:
  Status OnResponse(engine::InferenceResponse response) override {
    answers.push_back(response.outputs[0].tensor.elements<float>()[0]);
    return OkStatus();
  }
  void OnEnd(Status status) override { end.set_value(std::move(status)); }

  std::vector<float> answers;
  std::promise<Status> end;
};

TEST_F(InferenceTest, AModelThatAnswersOnceIsAStreamOfOne) {
  for (const std::string model : {"fast", "slow"}) {
    const auto sink = std::make_shared<KeepingSink>();
    Admit(model)->Stream(RequestFor(3), Fit::kExact, sink);
    EXPECT_TRUE(sink->end.get_future().get().ok());
    EXPECT_EQ(sink->answers, std::vector<float>{6});
    EXPECT_EQ(StatsOf(model).success_count, 1U);
  }
}

}  // namespace
}  // namespace mlos::runtime
