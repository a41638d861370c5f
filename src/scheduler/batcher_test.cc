// SPDX-License-Identifier: MIT
#include "scheduler/batcher.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <atomic>
#include <functional>
#include <future>
#include <thread>

#include "base/mutex.h"
#include "scheduler/batching/batch_merge.h"
#include "scheduler/model_runner.h"
#include "scheduler/scheduler.h"

namespace mlos::scheduler {
namespace {

using tensor::DType;
using tensor::Tensor;

/// The value that makes a run go on until it is told to stop.
constexpr float kEndless = 1e6F;

/// y = 2 · x, in time that does not depend on the number of items; keeps what it ran. While it is
/// held, no run ends.
class DoublingModel : public engine::LoadedModel {
 public:
  const engine::ModelSchema& schema() const override { return schema_; }
  engine::MemoryReport memory() const override { return {}; }

  Result<engine::InferenceResponse> Infer(const engine::InferenceRequest& request,
                                          engine::Stop* stop) override {
    const int run = started.fetch_add(1) + 1;
    if (during_run) during_run(run);
    if (std::ranges::count(request.inputs[0].tensor.elements<float>(), kEndless) > 0) {
      while (!stop->requested()) std::this_thread::yield();
      return Status(Reason::kCancelled, "told to stop");
    }
    std::this_thread::sleep_for(std::chrono::milliseconds(run_ms));
    const Tensor& x = request.inputs[0].tensor;
    const std::int64_t items = x.shape()[0];
    {
      const MutexLock lock(mutex_);
      while (held_) released_.Wait(mutex_);
      runs_.push_back(items);
    }
    if (std::ranges::any_of(x.elements<float>(), [](float value) { return value < 0; }) ||
        (items > 1 && fails_on_many)) {
      return Status(Reason::kInferenceRejected, "negative");
    }
    engine::InferenceResponse response;
    Tensor y = Tensor::Allocate(DType::kFloat32, x.shape()).value();
    for (std::size_t i = 0; i < x.elements<float>().size(); ++i) {
      // A model whose items see each other, where asked for.
      y.elements<float>()[i] = 2 * x.elements<float>()[mixes_items ? 0 : i];
    }
    response.outputs.push_back({"y", std::move(y)});
    return response;
  }
  void Hold(bool held) {
    const MutexLock lock(mutex_);
    held_ = held;
    released_.NotifyAll();
  }
  std::vector<std::int64_t> runs() {
    const MutexLock lock(mutex_);
    return runs_;
  }

  /// What was counted as run for callers.
  void CountRun(std::int64_t items) {
    const MutexLock lock(mutex_);
    counted_.push_back(items);
  }
  std::vector<std::int64_t> counted() {
    const MutexLock lock(mutex_);
    return counted_;
  }

  std::atomic<int> started{0};
  /// Called in each run, with its number from 1 on.
  std::function<void(int)> during_run;
  int run_ms = 20;
  std::atomic<bool> mixes_items{false};
  bool fails_on_many = false;

 private:
  const engine::ModelSchema schema_;
  Mutex mutex_;
  CondVar released_;
  bool held_ GUARDED_BY(mutex_) = false;
  std::vector<std::int64_t> runs_ GUARDED_BY(mutex_);
  std::vector<std::int64_t> counted_ GUARDED_BY(mutex_);
};

class BatchedJob : public RequestJob {
 public:
  using Outcome = Result<engine::InferenceResponse>;
  BatchedJob(ModelRunner& runner, DoublingModel& model, engine::InferenceRequest request,
             std::promise<Outcome> answer)
      : RequestJob(runner, request.deadline, 0),
        model_(model),
        request_(std::move(request)),
        answer_(std::move(answer)) {
    items = batching::BatchItems(request_);
  }

  const engine::InferenceRequest& request() const override { return request_; }
  bool CanShare(const Job& other) const override {
    return batching::CanMerge(request_, other.request());
  }
  void CountRun(std::int64_t run_items, std::int64_t /*run_time_us*/) override {
    model_.CountRun(run_items);
  }
  Taken Respond(engine::InferenceResponse /*response*/) override { return Taken::kDrop; }

 protected:
  void OnAnswer(Outcome outcome, std::int64_t /*run_time_us*/) override {
    answer_.set_value(std::move(outcome));
  }
  void OnEnd(Status /*status*/) override {}
  void OnRefuse(Status why, bool /*ran*/) override { answer_.set_value(std::move(why)); }

 private:
  DoublingModel& model_;
  const engine::InferenceRequest request_;
  std::promise<Outcome> answer_;
};

class BatcherTest : public testing::Test {
 protected:
  std::shared_ptr<BatchedJob> JobFor(float value) {
    std::promise<BatchedJob::Outcome> answer;
    return std::make_shared<BatchedJob>(runner_, model_, RequestFor(value, 1), std::move(answer));
  }
  std::future<BatchedJob::Outcome> Ask(
      float value, std::int64_t columns = 1,
      std::shared_ptr<engine::Cancellation> cancellation = nullptr) {
    engine::InferenceRequest request = RequestFor(value, columns);
    request.cancellation = std::move(cancellation);
    std::promise<BatchedJob::Outcome> answer;
    auto future = answer.get_future();
    scheduler_.Submit(
        std::make_shared<BatchedJob>(runner_, model_, std::move(request), std::move(answer)));
    return future;
  }
  static engine::InferenceRequest RequestFor(float value, std::int64_t columns) {
    engine::InferenceRequest request;
    Tensor x = Tensor::Allocate(DType::kFloat32, {1, columns}).value();
    std::fill(x.elements<float>().begin(), x.elements<float>().end(), value);
    request.inputs.push_back({"x", std::move(x)});
    return request;
  }
  static float ValueOf(std::future<BatchedJob::Outcome> future) {
    const BatchedJob::Outcome outcome = future.get();
    return outcome.ok() ? outcome->outputs[0].tensor.elements<float>()[0] : -1;
  }
  /// One request for each value: the others wait together while the first is run. Each must get the
  /// answer to its own.
  void AskTogether(const std::vector<float>& values) {
    model_.Hold(true);
    const int before = model_.started.load();
    std::vector<std::future<BatchedJob::Outcome>> answers;
    for (const float value : values) {
      answers.push_back(Ask(value));
      while (model_.started.load() == before) std::this_thread::yield();
    }
    model_.Hold(false);
    for (std::size_t i = 0; i < values.size(); ++i) {
      EXPECT_EQ(ValueOf(std::move(answers[i])), 2 * values[i]);
    }
  }
  static const inline std::vector<float> kEqual{1, 1, 1, 1, 1, 1};
  static const inline std::vector<float> kDifferent{0, 1, 2, 3, 4, 5};
  /// How many runs `ask` takes.
  template <typename Ask>
  std::size_t RunsOf(Ask ask) {
    const std::size_t before = model_.runs().size();
    ask();
    return model_.runs().size() - before;
  }
  /// Asks until requests are merged.
  void Trust() {
    for (int i = 0; i < 3; ++i) AskTogether(kDifferent);
    ASSERT_EQ(RunsOf([&] { AskTogether(kDifferent); }), 3U)
        << "with the check of a first merged run";
    ASSERT_TRUE(runner_.batches());
  }
  /// Two requests wait together behind another; the last caller leaves during the `last_run`th run,
  /// in which it has no part.
  void LeaveDuringRun(int last_run) {
    const int before = model_.started.load();
    const auto cancellation = std::make_shared<engine::Cancellation>();
    model_.during_run = [=](int run) {
      if (run == before + last_run) cancellation->Cancel();
    };
    model_.Hold(true);
    auto first = Ask(0);
    while (model_.started.load() == before) std::this_thread::yield();
    auto second = Ask(1);
    auto last = Ask(2, 1, cancellation);
    model_.Hold(false);
    EXPECT_EQ(ValueOf(std::move(first)), 0);
    EXPECT_EQ(ValueOf(std::move(second)), 2);
    EXPECT_EQ(last.get().status().reason(), Reason::kCancelled);
    EXPECT_EQ(model_.started.load(), before + last_run);
  }
  std::int64_t LargestRun() {
    const auto runs = model_.runs();
    return *std::max_element(runs.begin(), runs.end());
  }

  DoublingModel model_;
  resource::ByteBudget budget_{1 << 20};
  ModelRunner runner_{"doubling", {}, model_, nullptr, BatchOptions{.max_batch_size = 8}, budget_};
  Scheduler scheduler_{{.threads = 2, .queue_length_max = 16}};
};

TEST(SlotsFor, GivesEachRunTheThreadsItComputesWith) {
  EXPECT_EQ(SlotsFor(8, 8), 1U);
  EXPECT_EQ(SlotsFor(8, 3), 2U);
  EXPECT_EQ(SlotsFor(8, 1), 8U);
  EXPECT_EQ(SlotsFor(2, 8), 1U);
}

TEST_F(BatcherTest, MergesWhatWaitsOnceTrialsWentWell) {
  Trust();
  const std::size_t tried = model_.runs().size();
  AskTogether({0, 1, 2, 3, 4, 5, 6, 7, 8});
  EXPECT_LT(model_.runs().size() - tried, 9U);
  EXPECT_GT(LargestRun(), 1);
  EXPECT_LE(LargestRun(), 8);
}

TEST_F(BatcherTest, NeverMergesAgainWhereItemsInfluenceEachOther) {
  model_.mixes_items = true;
  AskTogether(kDifferent);
  EXPECT_FALSE(runner_.batches());
  const std::size_t tried = model_.runs().size();
  AskTogether({0, 1, 2, 3, 4});
  const auto runs = model_.runs();
  EXPECT_TRUE(std::all_of(runs.begin() + static_cast<std::ptrdiff_t>(tried), runs.end(),
                          [](std::int64_t items) { return items == 1; }));
}

TEST_F(BatcherTest, EqualRequestsSayNothingOfDifferentOnes) {
  model_.mixes_items = true;  // which equal items do not show
  for (int i = 0; i < 4; ++i) AskTogether(kEqual);
  EXPECT_LT(RunsOf([&] { AskTogether(kEqual); }), 6U) << "equal requests share a run by now";
  EXPECT_TRUE(runner_.batches());
  AskTogether(kDifferent);
  EXPECT_FALSE(runner_.batches());
  AskTogether(kDifferent);
}

TEST_F(BatcherTest, AChangeAfterTrustIsSeenByTheNextCheck) {
  for (int i = 0; i < 3; ++i) AskTogether(kDifferent);
  EXPECT_TRUE(runner_.batches());
  model_.mixes_items = true;
  AskTogether(kDifferent);  // the first merged run is checked before anybody is answered
  EXPECT_FALSE(runner_.batches());
}

TEST_F(BatcherTest, NeverMergesAgainWhereMergedRunsFail) {
  model_.fails_on_many = true;
  AskTogether(kDifferent);
  EXPECT_FALSE(runner_.batches());
}

TEST_F(BatcherTest, ASharedRunIsCountedOnceAndAnotherForTheSakeOfATrialNotAtAll) {
  Trust();
  const std::vector<std::int64_t> counted = model_.counted();
  ASSERT_EQ(counted.size(), 3 * 6 + 2U) << "three trials, then a lone run and a shared one";
  EXPECT_EQ(std::count(counted.begin(), counted.end(), 1), 3 * 6 + 1);
  EXPECT_EQ(counted.back(), 5);
}

TEST_F(BatcherTest, RunsThatCouldBeginSideBySideShareWhatWaits) {
  Batcher batcher("doubling", model_, budget_, {.max_batch_size = 8, .slots = 2});
  Waiting waiting;
  for (std::uint64_t number = 1; number <= 5; ++number) waiting[{0, number}] = JobFor(1);
  const auto chosen = [&](std::uint32_t free_runs) {
    return batcher.Next(waiting, free_runs).size();
  };
  EXPECT_EQ(chosen(1), 5U);
  EXPECT_EQ(chosen(2), 3U);
  EXPECT_EQ(chosen(5), 1U);
  for (std::uint64_t number = 6; number <= 18; ++number) waiting[{0, number}] = JobFor(1);
  EXPECT_EQ(chosen(2), 8U) << "no more than one run may have";
}

TEST_F(BatcherTest, ALoneCallerIsRunAlone) {
  for (int i = 0; i < 3; ++i) EXPECT_EQ(ValueOf(Ask(1)), 2);
  EXPECT_EQ(model_.runs(), (std::vector<std::int64_t>{1, 1, 1}));
}

TEST_F(BatcherTest, OneCallersDataFailsNobodyElse) {
  Trust();
  auto busy = Ask(1);
  auto bad = Ask(-1);
  auto good = Ask(3);
  EXPECT_EQ(ValueOf(std::move(busy)), 2);
  EXPECT_EQ(bad.get().status().reason(), Reason::kInferenceRejected);
  EXPECT_EQ(ValueOf(std::move(good)), 6);
}

TEST_F(BatcherTest, RaggedShapesAreKeptApart) {
  Trust();
  auto busy = Ask(1);
  auto narrow = Ask(2, 1);
  auto broad = Ask(3, 4);
  EXPECT_EQ(ValueOf(std::move(busy)), 2);
  EXPECT_EQ(ValueOf(std::move(narrow)), 4);
  EXPECT_EQ(ValueOf(std::move(broad)), 6);
}

TEST_F(BatcherTest, RefusesTheExcessAndWhatWasCancelled) {
  model_.Hold(true);
  auto first = Ask(1);
  while (model_.started.load() == 0) std::this_thread::yield();
  const auto cancellation = std::make_shared<engine::Cancellation>();
  auto cancelled = Ask(1, 1, cancellation);
  cancellation->Cancel();
  std::vector<std::future<BatchedJob::Outcome>> others;
  for (int i = 0; i < 17; ++i) others.push_back(Ask(1));
  model_.Hold(false);
  int overloaded = 0;
  for (auto& other : others) {
    const BatchedJob::Outcome outcome = other.get();
    if (!outcome.ok() && outcome.status().reason() == Reason::kOverloaded) ++overloaded;
  }
  EXPECT_GT(overloaded, 0);
  EXPECT_TRUE(first.get().ok());
  EXPECT_EQ(cancelled.get().status().reason(), Reason::kCancelled);
}

TEST_F(BatcherTest, AnEndlessRunOfSeveralIsStoppedOnceOneOfThemLeaves) {
  Trust();
  const int before = model_.started.load();
  const auto cancellation = std::make_shared<engine::Cancellation>();
  model_.during_run = [=](int run) {
    if (run == before + 2) cancellation->Cancel();
  };
  model_.Hold(true);
  auto first = Ask(0);
  while (model_.started.load() == before) std::this_thread::yield();
  auto endless = Ask(kEndless, 1, cancellation);
  auto last = Ask(2);
  model_.Hold(false);
  EXPECT_EQ(ValueOf(std::move(first)), 0);
  EXPECT_EQ(endless.get().status().reason(), Reason::kCancelled);
  EXPECT_EQ(ValueOf(std::move(last)), 4) << "it was run again, by itself";
  EXPECT_EQ(model_.started.load(), before + 3);
}

TEST_F(BatcherTest, WhoLeavesDuringATrialIsNotRun) { LeaveDuringRun(2); }

TEST_F(BatcherTest, WhoLeavesWhileTheOthersAreRunAfterAMergedRunFailedIsNotRun) {
  Trust();
  model_.fails_on_many = true;
  LeaveDuringRun(3);
}

TEST_F(BatcherTest, DrainAnswersWhatWaits) {
  Trust();
  std::vector<std::future<BatchedJob::Outcome>> answers;
  for (int i = 0; i < 12; ++i) answers.push_back(Ask(1));
  EXPECT_TRUE(scheduler_.Drain(SteadyClock::now() + std::chrono::seconds(10)));
  for (auto& answer : answers) {
    EXPECT_EQ(answer.wait_for(std::chrono::seconds(0)), std::future_status::ready);
    EXPECT_TRUE(answer.get().ok());
  }
  EXPECT_EQ(Ask(1).get().status().reason(), Reason::kDraining);
}

}  // namespace
}  // namespace mlos::scheduler
