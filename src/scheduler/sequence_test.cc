// SPDX-License-Identifier: MIT
#include <gtest/gtest.h>

#include <atomic>
#include <future>
#include <numeric>
#include <thread>

#include "scheduler/model_runner.h"
#include "scheduler/scheduler.h"
#include "sequence/sequences.h"

namespace mlos::scheduler {
namespace {

using sequence::Reaper;
using sequence::SequenceOptions;
using sequence::Sequences;
using sequence::StatePairs;

using tensor::DType;
using tensor::Tensor;
using StepOutcome = Result<engine::InferenceResponse>;

tensor::TensorSpec Vector(const std::string& name) {
  return {.name = name, .dtype = DType::kFloat32, .dims = {{tensor::kDynamicSize, "n"}}};
}

/// y = sum = x + total, where `sum` is the next `total`. Refuses what is below 0, and holds its
/// runs back where it is told to.
class SummingModel : public engine::LoadedModel {
 public:
  const engine::ModelSchema& schema() const override { return schema_; }
  engine::MemoryReport memory() const override { return {}; }

  StepOutcome Infer(const engine::InferenceRequest& request, engine::Stop* /*stop*/) override {
    started.fetch_add(1);
    while (held.load()) std::this_thread::yield();
    const Tensor& x = request.inputs[0].tensor;
    const Tensor& total = request.inputs[1].tensor;
    EXPECT_EQ(request.inputs[1].name, "total");
    if (x.elements<float>()[0] < 0) return Status(Reason::kInferenceRejected, "negative");
    engine::InferenceResponse response;
    for (const std::string& name : request.requested_outputs) {
      Tensor sum = Tensor::Allocate(DType::kFloat32, x.shape()).value();
      for (std::size_t i = 0; i < sum.elements<float>().size(); ++i) {
        sum.elements<float>()[i] = x.elements<float>()[i] + total.elements<float>()[i];
      }
      response.outputs.push_back({name, std::move(sum)});
    }
    return response;
  }

  std::atomic<int> started{0};
  std::atomic<bool> held{false};

 private:
  const engine::ModelSchema schema_ = {.inputs = {Vector("x"), Vector("total")},
                                       .outputs = {Vector("y"), Vector("sum")}};
};

class StepJob : public RequestJob {
 public:
  StepJob(ModelRunner& runner, engine::InferenceRequest request, Sequences::Entry place,
          std::promise<StepOutcome> answer)
      : RequestJob(runner, request.deadline, 0),
        request_(std::move(request)),
        answer_(std::move(answer)) {
    entry = std::move(place);
    sequence = entry.key();
  }

  const engine::InferenceRequest& request() const override { return request_; }
  void CountRun(std::int64_t /*items*/, std::int64_t /*run_time_us*/) override {}
  Taken Respond(engine::InferenceResponse /*response*/) override { return Taken::kDrop; }

 protected:
  void OnAnswer(StepOutcome outcome, std::int64_t /*run_time_us*/) override {
    answer_.set_value(std::move(outcome));
  }
  void OnRefuse(Status why, bool ran) override {
    if (!ran) entry.Leave();
    answer_.set_value(std::move(why));
  }

 private:
  const engine::InferenceRequest request_;
  std::promise<StepOutcome> answer_;
};

/// What one request asks for.
struct Ask {
  std::string id = "a";
  float x = 1;
  bool start = false;
  bool end = false;
  std::vector<std::string> outputs;
  std::optional<float> total;
  std::shared_ptr<engine::Cancellation> cancellation;
  std::int64_t size = 1;
};

class SequencesTest : public testing::Test {
 protected:
  void TearDown() override {
    model_.held.store(false);
    scheduler_.reset();
    runner_.reset();
    sequences_.reset();
    EXPECT_EQ(reaper_.count(), 0);
    EXPECT_EQ(budget_.used(), 0U);
  }
  void Serve(const SequenceOptions& options, std::uint32_t queue_length_max = 1024,
             Reaper* reaper = nullptr) {
    scheduler_.reset();
    runner_.reset();
    sequences_ = std::make_unique<Sequences>(model_, StatePairs{{"total", "sum"}}, budget_,
                                             reaper != nullptr ? *reaper : reaper_, options);
    runner_ =
        std::make_unique<ModelRunner>("summing", ModelQueueOptions{.time_given_by_shapes = true},
                                      model_, sequences_.get(), std::nullopt, budget_);
    scheduler_ = std::make_unique<Scheduler>(
        SchedulerOptions{.threads = 3, .queue_length_max = queue_length_max});
  }
  void SetUp() override { Serve({}); }
  static Tensor Filled(float value, std::int64_t size) {
    Tensor tensor = Tensor::Allocate(DType::kFloat32, {size}).value();
    for (float& element : tensor.elements<float>()) element = value;
    return tensor;
  }
  std::future<StepOutcome> Submit(const Ask& ask) {
    engine::InferenceRequest request;
    request.inputs.push_back({"x", Filled(ask.x, ask.size)});
    if (ask.total) request.inputs.push_back({"total", Filled(*ask.total, ask.size)});
    request.requested_outputs = ask.outputs;
    request.cancellation = ask.cancellation;
    request.sequence = engine::MakeSequenceStep(ask.id, ask.start, ask.end).value();
    std::promise<StepOutcome> answer;
    auto future = answer.get_future();
    auto place = sequences_->Enter(*request.sequence);
    if (place.ok()) {
      scheduler_->Submit(std::make_shared<StepJob>(*runner_, std::move(request),
                                                   std::move(place).value(), std::move(answer)));
    } else {
      answer.set_value(place.status());
    }
    return future;
  }
  /// The first output, or the refusal: "INVALID_FIELD sequence_start".
  static std::string Told(std::future<StepOutcome> future) {
    const StepOutcome outcome = future.get();
    if (outcome.ok()) {
      return std::to_string(static_cast<int>(outcome->outputs[0].tensor.elements<float>()[0]));
    }
    const Status& status = outcome.status();
    const std::string reason(ToString(status.reason()));
    return status.field().empty() ? reason : reason + " " + std::string(status.field());
  }
  std::string Tell(const Ask& ask) { return Told(Submit(ask)); }

  SummingModel model_;
  resource::ByteBudget budget_{1 << 20};
  // Never by itself within a test.
  Reaper reaper_{std::chrono::hours(1)};
  std::unique_ptr<Sequences> sequences_;
  std::unique_ptr<ModelRunner> runner_;
  std::unique_ptr<Scheduler> scheduler_;
};

TEST_F(SequencesTest, EachRequestGoesOnWhereTheOneBeforeEnded) {
  EXPECT_EQ(Tell({.x = 1, .start = true}), "1");
  EXPECT_EQ(Tell({.x = 2}), "3");
  EXPECT_EQ(Tell({.x = 4, .end = true}), "7");
  EXPECT_EQ(reaper_.count(), 0);
  EXPECT_EQ(Tell({.x = 1}), "INVALID_FIELD sequence_start");
}

TEST_F(SequencesTest, OutputsOfTheStateComeOnlyWhereTheyAreAskedFor) {
  StepOutcome plain = Submit({.start = true}).get();
  ASSERT_EQ(plain->outputs.size(), 1U);
  EXPECT_EQ(plain->outputs[0].name, "y");
  const StepOutcome named = Submit({.outputs = {"sum", "y"}}).get();
  ASSERT_EQ(named->outputs.size(), 2U);
  EXPECT_EQ(named->outputs[0].name, "sum");
  EXPECT_EQ(named->outputs[0].tensor.elements<float>()[0], 2);
}

TEST_F(SequencesTest, AStateThatIsGivenTakesThePlaceOfTheOneThatIsKept) {
  EXPECT_EQ(Tell({.x = 1, .start = true, .total = 10.0F}), "11");
  EXPECT_EQ(Tell({.x = 1}), "12");
  EXPECT_EQ(Tell({.x = 1, .total = 20.0F}), "21");
  EXPECT_EQ(Tell({.x = 1}), "22");
}

TEST_F(SequencesTest, ASecondStartBeginsAnew) {
  EXPECT_EQ(Tell({.x = 5, .start = true}), "5");
  EXPECT_EQ(Tell({.x = 1, .start = true}), "1");
  EXPECT_EQ(Tell({.x = 1}), "2");
  EXPECT_EQ(reaper_.count(), 1);
}

TEST_F(SequencesTest, WhatFailsLeavesTheStateAsItWas) {
  EXPECT_EQ(Tell({.x = -1, .start = true}), "INFERENCE_REJECTED");
  EXPECT_EQ(reaper_.count(), 0);
  EXPECT_EQ(Tell({.x = 1}), "INVALID_FIELD sequence_start");
  EXPECT_EQ(Tell({.x = 5, .start = true}), "5");
  for (const bool start : {false, true}) {
    EXPECT_EQ(Tell({.x = -1, .start = start}), "INFERENCE_REJECTED");
    EXPECT_EQ(Tell({.x = -1, .start = start, .end = true}), "INFERENCE_REJECTED");
  }
  EXPECT_EQ(Tell({.x = 1}), "6");
}

TEST_F(SequencesTest, RequestsRunInTheirOrderWhileOthersWait) {
  model_.held.store(true);
  std::vector<std::future<StepOutcome>> answers;
  constexpr int kRequests = 50;
  for (int i = 0; i < kRequests; ++i) {
    answers.push_back(Submit({.id = "a", .x = 1, .start = i == 0, .end = i + 1 == kRequests}));
    answers.push_back(Submit({.id = "b", .x = 100, .start = i == 0}));
  }
  while (model_.started.load() < 2) std::this_thread::yield();
  model_.held.store(false);
  for (int i = 0; i < kRequests; ++i) {
    EXPECT_EQ(Told(std::move(answers[2 * i])), std::to_string(i + 1));
    EXPECT_EQ(Told(std::move(answers[2 * i + 1])), std::to_string(100 * (i + 1)));
  }
  EXPECT_EQ(reaper_.count(), 1);
}

TEST_F(SequencesTest, SequencesOfManyCallersDoNotMix) {
  constexpr int kCallers = 8;
  constexpr int kRequests = 100;
  // Short runs happen on the threads that submit.
  runner_->run_times().Record(1, 0);
  std::vector<std::thread> callers;
  std::atomic<int> wrong{0};
  for (int caller = 1; caller <= kCallers; ++caller) {
    callers.emplace_back([&, caller] {
      for (int i = 1; i <= kRequests; ++i) {
        const Ask ask{.id = std::to_string(caller),
                      .x = static_cast<float>(caller),
                      .start = i == 1,
                      .end = i == kRequests};
        if (Tell(ask) != std::to_string(caller * i)) wrong.fetch_add(1);
      }
    });
  }
  for (std::thread& caller : callers) caller.join();
  EXPECT_EQ(wrong.load(), 0);
  EXPECT_EQ(reaper_.count(), 0);
}

TEST_F(SequencesTest, ManyCallersOfOneSequenceEachTakeOneStep) {
  ASSERT_EQ(Tell({.x = 0, .start = true}), "0");
  runner_->run_times().Record(1, 0);
  constexpr int kCallers = 8;
  constexpr int kRequests = 50;
  std::vector<std::thread> callers;
  std::vector<std::vector<int>> seen(kCallers);
  for (std::vector<int>& totals : seen) {
    callers.emplace_back([&] {
      for (int i = 0; i < kRequests; ++i) totals.push_back(std::stoi(Tell({.x = 1})));
    });
  }
  for (std::thread& caller : callers) caller.join();
  std::vector<int> all;
  for (const std::vector<int>& totals : seen) {
    EXPECT_TRUE(std::is_sorted(totals.begin(), totals.end()));
    all.insert(all.end(), totals.begin(), totals.end());
  }
  std::sort(all.begin(), all.end());
  std::vector<int> expected(kCallers * kRequests);
  std::iota(expected.begin(), expected.end(), 1);
  EXPECT_EQ(all, expected);
}

TEST_F(SequencesTest, OneMoreThanTheLimitIsRefusedAtOnce) {
  Serve({.sequences_max = 2});
  EXPECT_EQ(Tell({.id = "a", .start = true}), "1");
  EXPECT_EQ(Tell({.id = "b", .start = true}), "1");
  EXPECT_EQ(Tell({.id = "c", .start = true}), "OVERLOADED");
  EXPECT_EQ(Tell({.id = "a", .end = true}), "2");
  EXPECT_EQ(Tell({.id = "c", .start = true}), "1");
}

TEST_F(SequencesTest, MoreWaitingThanTheQueueHoldsIsRefusedAtOnce) {
  Serve({}, 2);
  model_.held.store(true);
  auto running = Submit({.start = true});
  while (model_.started.load() < 1) std::this_thread::yield();
  auto first = Submit({});
  auto second = Submit({});
  EXPECT_EQ(Tell({}), "OVERLOADED");
  EXPECT_EQ(Tell({.id = "b", .start = true}), "OVERLOADED");
  model_.held.store(false);
  EXPECT_EQ(Told(std::move(running)) + Told(std::move(first)) + Told(std::move(second)), "123");
}

TEST_F(SequencesTest, StateIsCountedAgainstTheBudget) {
  EXPECT_EQ(Tell({.id = "a", .start = true, .size = 1000}), "1");
  const std::uint64_t one = budget_.used();
  EXPECT_GE(one, 4000U);
  EXPECT_EQ(Tell({.id = "b", .start = true, .size = 1000}), "1");
  EXPECT_EQ(budget_.used(), 2 * one);
  EXPECT_EQ(Tell({.id = "c", .start = true, .size = 1 << 20}), "OVERLOADED");
  EXPECT_EQ(budget_.used(), 2 * one);
  EXPECT_EQ(Tell({.id = "a", .end = true, .size = 1000}), "2");
  EXPECT_EQ(budget_.used(), one);
}

TEST_F(SequencesTest, WhoIsIdleForTooLongIsForgotten) {
  EXPECT_EQ(Tell({.id = "a", .start = true}), "1");
  EXPECT_EQ(Tell({.id = "b", .start = true}), "1");
  const SteadyClock::time_point then = SteadyClock::now();
  EXPECT_EQ(Tell({.id = "a"}), "2");
  const SteadyClock::time_point next = sequences_->EndIdle(then);
  EXPECT_GT(next, then);
  EXPECT_EQ(reaper_.count(), 1);
  EXPECT_EQ(Tell({.id = "b"}), "INVALID_FIELD sequence_start");
  EXPECT_EQ(Tell({.id = "a"}), "3");
  EXPECT_EQ(sequences_->EndIdle(SteadyClock::now()), kNoDeadline);
  EXPECT_EQ(reaper_.count(), 0);
}

TEST_F(SequencesTest, WhoIsAtWorkIsNotIdle) {
  model_.held.store(true);
  auto running = Submit({.start = true});
  while (model_.started.load() < 1) std::this_thread::yield();
  EXPECT_EQ(sequences_->EndIdle(SteadyClock::now() + std::chrono::hours(1)), kNoDeadline);
  model_.held.store(false);
  EXPECT_EQ(Told(std::move(running)), "1");
  EXPECT_EQ(Tell({}), "2");
}

TEST_F(SequencesTest, TheReaperEndsThemByItself) {
  Reaper reaper{std::chrono::milliseconds(1)};
  Serve({}, 1024, &reaper);
  for (int i = 0; i < 3; ++i) {
    EXPECT_EQ(Tell({.start = true}), "1");
    while (reaper.count() != 0) std::this_thread::yield();
  }
  EXPECT_EQ(budget_.used(), 0U);
  scheduler_.reset();
  runner_.reset();
  sequences_.reset();
}

TEST_F(SequencesTest, WhatNobodyWaitsForIsNotRun) {
  model_.held.store(true);
  auto running = Submit({.start = true});
  while (model_.started.load() < 1) std::this_thread::yield();
  const auto cancellation = std::make_shared<engine::Cancellation>();
  auto cancelled = Submit({.x = 100, .cancellation = cancellation});
  auto after = Submit({});
  cancellation->Cancel();
  model_.held.store(false);
  EXPECT_EQ(Told(std::move(cancelled)), "CANCELLED");
  EXPECT_EQ(Told(std::move(running)) + Told(std::move(after)), "12");
}

TEST_F(SequencesTest, DrainAnswersWhatWaitsAndRefusesTheRest) {
  model_.held.store(true);
  auto running = Submit({.start = true});
  auto waiting = Submit({});
  std::thread drain([&] { EXPECT_TRUE(scheduler_->Drain(kNoDeadline)); });
  while (!scheduler_->draining()) std::this_thread::yield();
  EXPECT_EQ(Tell({}), "DRAINING");
  model_.held.store(false);
  drain.join();
  EXPECT_EQ(Told(std::move(running)) + Told(std::move(waiting)), "12");
}

}  // namespace
}  // namespace mlos::scheduler
