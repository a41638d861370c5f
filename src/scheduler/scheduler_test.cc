// SPDX-License-Identifier: MIT
#include "scheduler/scheduler.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <atomic>
#include <functional>
#include <future>
#include <string>

#include "base/test_waiting.h"

namespace mlos::scheduler {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

// Bytes of input.
constexpr std::uint64_t kSmall = 1000;
constexpr std::uint64_t kLarge = 60'000;

/// What became of a job, and on which thread.
struct Outcome {
  bool ran = false;
  Status status;
  std::int64_t queue_time_us = 0;
  std::thread::id thread;
};

class TestJob : public Job {
 public:
  TestJob(ModelQueue& queue, std::promise<Outcome>& outcome,
          std::function<void(engine::Stop*)> work, Deadline deadline, std::uint64_t input_bytes)
      : Job(queue, deadline, input_bytes), work_(std::move(work)), outcome_(outcome) {}

  const engine::InferenceRequest& request() const override { return asked; }
  void CountRun(std::int64_t /*items*/, std::int64_t /*run_time_us*/) override {}
  Taken Respond(engine::InferenceResponse /*response*/) override { return Taken::kGoOn; }
  void Work(engine::Stop* stop) const {
    if (work_) work_(stop);
  }

  engine::InferenceRequest asked;

 protected:
  void OnAnswer(Result<engine::InferenceResponse> outcome, std::int64_t /*run_time_us*/) override {
    outcome_.set_value({true, outcome.status(), queue_time_us(), std::this_thread::get_id()});
  }
  void OnRefuse(Status why, bool /*ran*/) override {
    outcome_.set_value({false, std::move(why), queue_time_us(), std::this_thread::get_id()});
  }
  void OnEnd(Status status) override { Answer(std::move(status), 0); }

 private:
  const std::function<void(engine::Stop*)> work_;
  std::promise<Outcome>& outcome_;
};

/// A model whose runs are what its jobs bring.
class TestQueue : public ModelQueue {
 public:
  explicit TestQueue(bool time_given_by_shapes = true)
      : ModelQueue("m", {.time_given_by_shapes = time_given_by_shapes},
                   std::make_unique<OneByOne>()) {}

  bool Execute(std::span<const std::shared_ptr<Job>> jobs, engine::Stop* stop) override {
    for (const std::shared_ptr<Job>& job : jobs) {
      if (!job->StillWanted()) continue;
      static_cast<TestJob&>(*job).Work(stop);
      job->Answer(engine::InferenceResponse(), 0);
    }
    return false;
  }
};

/// A submitted job whose outcome can be waited for.
class Submitted {
 public:
  using Work = std::function<void(engine::Stop*)>;
  Submitted(Scheduler& scheduler, ModelQueue& queue, Work work = {},
            Deadline deadline = kNoDeadline, std::uint64_t input_bytes = kSmall,
            std::shared_ptr<engine::Cancellation> cancellation = nullptr) {
    auto job = std::make_shared<TestJob>(queue, promise_, std::move(work), deadline, input_bytes);
    job->asked.cancellation = std::move(cancellation);
    scheduler.Submit(job);
  }
  bool over() { return future_.wait_for(seconds(0)) == std::future_status::ready; }
  Outcome Wait() { return future_.get(); }

 private:
  std::promise<Outcome> promise_;
  std::future<Outcome> future_ = promise_.get_future();
};

/// Something for a job to block on until the test lets go.
class Gate {
 public:
  Submitted::Work Wait() {
    return [this](engine::Stop* /*stop*/) {
      entered_.set_value();
      opened_.get_future().wait();
    };
  }
  void AwaitEntry() { entered_.get_future().wait(); }
  /// Waits for the entry of a job that may be over before it runs.
  bool EntersBefore(Submitted& job) {
    const std::future<void> entry = entered_.get_future();
    while (entry.wait_for(milliseconds(1)) != std::future_status::ready) {
      if (job.over()) return entry.wait_for(seconds(0)) == std::future_status::ready;
    }
    return true;
  }
  void Open() { opened_.set_value(); }

 private:
  std::promise<void> entered_;
  std::promise<void> opened_;
};

void MakeShort(ModelQueue& queue) { queue.run_times().Record(100, kSmall); }

TEST(RunTimes, ALoneLongerRunIsPreemptionAndTwoAreTheModel) {
  RunTimes times;
  for (int i = 0; i < 4; ++i) times.Record(40, kSmall);
  times.Record(4000, kSmall);
  EXPECT_EQ(times.Expected(kSmall), 40);
  times.Record(4000, kSmall);
  EXPECT_EQ(times.Expected(kSmall), 40 + (4000 - 40) / 8);
  RunTimes other;
  other.Record(40, kSmall);
  other.Record(80'000, kSmall);
  EXPECT_GT(other.Expected(kSmall), 5000) << "no core is lost for so long";
}

TEST(RunTimes, LargeRequestsBetweenSmallOnesAreNoPreemption) {
  RunTimes times;
  for (int i = 0; i < 20; ++i) {
    times.Record(40, kSmall);
    times.Record(8000, kLarge);
  }
  EXPECT_EQ(times.Expected(kSmall), 40);
  EXPECT_EQ(times.Expected(kLarge), 8000);
  EXPECT_EQ(times.Expected(4 * kSmall), 0) << "nothing of that size was seen";
  EXPECT_EQ(times.Expected(0), 0);
  times.Record(9000, std::uint64_t{1} << 40);
  EXPECT_EQ(times.Expected(~std::uint64_t{0}), 9000);
}

TEST(Scheduler, AModelThatNeverRanGoesToThePool) {
  TestQueue queue;
  Scheduler scheduler({.threads = 1});
  const Outcome outcome = Submitted(scheduler, queue).Wait();
  EXPECT_TRUE(outcome.ran);
  EXPECT_NE(outcome.thread, std::this_thread::get_id());
}

TEST(Scheduler, AShortModelRunsOnTheCallingThreadWithoutQueueing) {
  TestQueue queue;
  Scheduler scheduler({.threads = 1});
  MakeShort(queue);
  Submitted job(scheduler, queue);
  ASSERT_TRUE(job.over());
  const Outcome outcome = job.Wait();
  EXPECT_EQ(outcome.thread, std::this_thread::get_id());
  EXPECT_EQ(outcome.queue_time_us, 0);
}

TEST(Scheduler, AModelThatIsShortForSmallInputsRunsLargeOnesInThePool) {
  TestQueue queue;
  Scheduler scheduler({.threads = 1});
  MakeShort(queue);
  for (const bool seen : {false, true}) {
    const Outcome large = Submitted(scheduler, queue, {}, kNoDeadline, kLarge).Wait();
    EXPECT_NE(large.thread, std::this_thread::get_id()) << seen;
    EXPECT_EQ(Submitted(scheduler, queue).Wait().thread, std::this_thread::get_id()) << seen;
    queue.run_times().Record(8000, kLarge);
  }
}

TEST(Scheduler, TheBoundBetweenShortAndLongIsExact) {
  TestQueue queues[2];
  Scheduler scheduler({.threads = 1});
  for (const std::int64_t run_time_us : {500, 501}) {
    TestQueue& queue = queues[run_time_us - 500];
    queue.run_times().Record(run_time_us, kSmall);
    const bool inline_run = Submitted(scheduler, queue).Wait().thread == std::this_thread::get_id();
    EXPECT_EQ(inline_run, run_time_us == 500) << run_time_us;
  }
}

TEST(Scheduler, AShortModelQueuesBehindItsOwnRequestsThatWait) {
  TestQueue busy;
  TestQueue queue;
  Scheduler scheduler({.threads = 1});
  Gate gate;
  Submitted blocker(scheduler, busy, gate.Wait());
  gate.AwaitEntry();
  Submitted first(scheduler, queue);
  MakeShort(queue);
  EXPECT_EQ(queue.waiting(), 1U);
  Submitted second(scheduler, queue);
  EXPECT_FALSE(second.over()) << "it overtook the first";
  gate.Open();
  EXPECT_TRUE(first.Wait().ran);
  EXPECT_TRUE(second.Wait().ran);
  EXPECT_EQ(queue.waiting(), 0U);
  EXPECT_TRUE(blocker.Wait().ran);
}

TEST(Scheduler, RefusesOneMoreThanTheQueueHolds) {
  TestQueue queue;
  Scheduler scheduler({.threads = 1, .queue_length_max = 2});
  Gate gate;
  Submitted running(scheduler, queue, gate.Wait());
  gate.AwaitEntry();
  Submitted first(scheduler, queue);
  Submitted second(scheduler, queue);
  Submitted third(scheduler, queue);
  ASSERT_TRUE(third.over());
  EXPECT_EQ(third.Wait().status.reason(), Reason::kOverloaded);
  gate.Open();
  EXPECT_TRUE(first.Wait().ran);
  EXPECT_TRUE(second.Wait().ran);
  EXPECT_TRUE(running.Wait().ran);
}

TEST(Scheduler, ADeadlineThatPassedIsRefusedAtAdmissionEvenInline) {
  TestQueue queue;
  Scheduler scheduler({.threads = 1});
  MakeShort(queue);
  const Outcome outcome =
      Submitted(scheduler, queue, {}, SteadyClock::now() - milliseconds(1)).Wait();
  EXPECT_FALSE(outcome.ran);
  EXPECT_EQ(outcome.status.reason(), Reason::kDeadlineExceeded);
}

TEST(Scheduler, ADeadlineIsAnsweredWhenItIsDueWhetherARequestWaitsOrRuns) {
  TestQueue queue;
  Scheduler scheduler({.threads = 1});
  EXPECT_TRUE(WithTimeEnough(milliseconds(5), [&](milliseconds ahead) {
    Gate gate;
    const Deadline due = SteadyClock::now() + ahead;
    Submitted running(scheduler, queue, gate.Wait(), due);
    const bool entered = gate.EntersBefore(running);
    Submitted waiting(scheduler, queue, {}, due);
    for (Submitted* job : {&running, &waiting}) {
      const Outcome outcome = job->Wait();
      EXPECT_FALSE(outcome.ran);
      EXPECT_EQ(outcome.status.reason(), Reason::kDeadlineExceeded);
      EXPECT_GE(SteadyClock::now(), due);
    }
    gate.Open();
    EXPECT_TRUE(Submitted(scheduler, queue).Wait().ran);
    return entered;
  }));
}

TEST(Scheduler, ACallerThatLeavesIsAnsweredWhileOthersRun) {
  TestQueue queue;
  Scheduler scheduler({.threads = 1});
  Gate gate;
  const auto gone = std::make_shared<engine::Cancellation>();
  Submitted running(scheduler, queue, gate.Wait());
  gate.AwaitEntry();
  Submitted before(scheduler, queue);
  Submitted cancelled(scheduler, queue, {}, kNoDeadline, kSmall, gone);
  Submitted behind(scheduler, queue);
  EXPECT_FALSE(cancelled.over());
  EXPECT_EQ(queue.waiting(), 3U);
  gone->Cancel();
  EXPECT_EQ(cancelled.Wait().status.reason(), Reason::kCancelled);
  EXPECT_EQ(queue.waiting(), 2U);
  gate.Open();
  EXPECT_TRUE(running.Wait().ran);
  EXPECT_TRUE(before.Wait().ran);
  EXPECT_TRUE(behind.Wait().ran);
  EXPECT_TRUE(scheduler.Drain(SteadyClock::now() + seconds(10)));
}

/// Runs until it is told to stop.
void RunUntilStopped(engine::Stop* stop) {
  while (!stop->requested()) std::this_thread::yield();
}

TEST(Scheduler, ARunThatNobodyWaitsForIsToldToStop) {
  TestQueue queue;
  Scheduler scheduler({.threads = 2});
  Submitted late(scheduler, queue, RunUntilStopped, SteadyClock::now() + milliseconds(2));
  const auto gone = std::make_shared<engine::Cancellation>();
  Submitted left(scheduler, queue, RunUntilStopped, kNoDeadline, kSmall, gone);
  EXPECT_EQ(late.Wait().status.reason(), Reason::kDeadlineExceeded);
  gone->Cancel();
  EXPECT_EQ(left.Wait().status.reason(), Reason::kCancelled);
  EXPECT_TRUE(scheduler.Drain(SteadyClock::now() + seconds(30))) << "they did not stop";
}

TEST(Scheduler, EndlessRunsOfOneModelKeepNoOtherFromThePool) {
  std::vector<std::unique_ptr<TestQueue>> endless;
  TestQueue quick(false);
  TestQueue unknown;
  Scheduler scheduler({.threads = 2});
  std::vector<std::unique_ptr<Submitted>> runs;
  const auto gone = std::make_shared<engine::Cancellation>();
  for (int i = 0; i < 2; ++i) {
    endless.push_back(std::make_unique<TestQueue>());
    for (int j = 0; j < 2; ++j) {
      runs.push_back(std::make_unique<Submitted>(scheduler, *endless.back(), RunUntilStopped,
                                                 kNoDeadline, kSmall, gone));
    }
  }
  quick.run_times().Record(5000, kSmall);
  EXPECT_TRUE(Submitted(scheduler, quick).Wait().ran);
  EXPECT_TRUE(Submitted(scheduler, unknown).Wait().ran);
  gone->Cancel();
  for (const auto& run : runs) EXPECT_EQ(run->Wait().status.reason(), Reason::kCancelled);
  EXPECT_TRUE(scheduler.Drain(SteadyClock::now() + seconds(30)));
}

TEST(Scheduler, ARunThatIsKnownToEndSoonerIsNotKeptBehindEndlessOnesForTheirSecond) {
  TestQueue endless;
  TestQueue known(false);
  TestQueue unknown;
  Scheduler scheduler({.threads = 2});
  std::vector<std::unique_ptr<Submitted>> runs;
  const auto gone = std::make_shared<engine::Cancellation>();
  for (int i = 0; i < 2; ++i) {
    runs.push_back(std::make_unique<Submitted>(scheduler, endless, RunUntilStopped, kNoDeadline,
                                               kSmall, gone));
  }
  // More than what is short: as the runs of a short model take where cores are scarce.
  known.run_times().Record(30'000, kSmall);
  std::vector<std::string> order;
  const auto note = [&order](const char* what) {
    return [&order, what](engine::Stop* /*stop*/) { order.emplace_back(what); };
  };
  Submitted waits_a_second(scheduler, unknown, note("unknown"));
  Submitted sooner(scheduler, known, note("known"));
  EXPECT_TRUE(sooner.Wait().ran);
  EXPECT_TRUE(waits_a_second.Wait().ran);
  EXPECT_EQ(order, (std::vector<std::string>{"known", "unknown"}));
  gone->Cancel();
  for (const auto& run : runs) EXPECT_EQ(run->Wait().status.reason(), Reason::kCancelled);
  EXPECT_TRUE(scheduler.Drain(SteadyClock::now() + seconds(30)));
}

TEST(Scheduler, AModelWhoseRunsDoNotStopIsGivenUp) {
  std::promise<std::string> given_up;
  Scheduler scheduler(
      {.threads = 1, .overdue_runs_max = 2, .on_given_up = [&](const ModelQueue& queue) {
         given_up.set_value(queue.model_id());
       }});
  TestQueue queue;
  std::atomic<bool> open{false};
  std::atomic<int> begun{0};
  const auto go_on = [&](engine::Stop* /*stop*/) {
    ++begun;
    while (!open.load()) std::this_thread::yield();
  };
  std::vector<std::unique_ptr<Submitted>> runs;
  for (int i = 1; i <= 3; ++i) {
    // If the run before has not stopped for a second, another thread takes its place.
    EXPECT_TRUE(WithTimeEnough(milliseconds(1'500), [&](milliseconds ahead) {
      runs.push_back(
          std::make_unique<Submitted>(scheduler, queue, go_on, SteadyClock::now() + ahead));
      EXPECT_EQ(runs.back()->Wait().status.reason(), Reason::kDeadlineExceeded);
      return begun.load() == i;
    }));
  }
  EXPECT_EQ(given_up.get_future().get(), "m");
  EXPECT_EQ(queue.overdue(), 3U);
  EXPECT_EQ(scheduler.overdue(), 3U);
  EXPECT_EQ(Submitted(scheduler, queue).Wait().status.reason(), Reason::kModelNotLoaded);
  open = true;
  EXPECT_TRUE(scheduler.Drain(SteadyClock::now() + seconds(30)));
  EXPECT_EQ(scheduler.overdue(), 0U);
}

TEST(Scheduler, AModelThatIsHaltedIsFreeOnceItsRunsHaveStopped) {
  TestQueue queue;
  Scheduler scheduler({.threads = 1});
  Submitted running(scheduler, queue, RunUntilStopped);
  Submitted waiting(scheduler, queue);
  const SteadyClock::time_point now = SteadyClock::now();
  EXPECT_EQ(scheduler.Halt(queue, now, now + seconds(30)), 0U);
  EXPECT_EQ(running.Wait().status.reason(), Reason::kModelNotLoaded);
  EXPECT_EQ(waiting.Wait().status.reason(), Reason::kModelNotLoaded);
  EXPECT_EQ(Submitted(scheduler, queue).Wait().status.reason(), Reason::kModelNotLoaded);
}

TEST(Scheduler, AModelThatIsHaltedLetsItsRunsFinishAndSaysHowManyAreLeft) {
  TestQueue queue;
  Gate gate;
  Scheduler scheduler({.threads = 1});
  Submitted running(scheduler, queue, gate.Wait());
  gate.AwaitEntry();
  Submitted waiting(scheduler, queue);
  const SteadyClock::time_point now = SteadyClock::now();
  EXPECT_EQ(scheduler.Halt(queue, now + milliseconds(2), now + milliseconds(4)), 1U);
  EXPECT_EQ(running.Wait().status.reason(), Reason::kModelNotLoaded);
  EXPECT_EQ(waiting.Wait().status.reason(), Reason::kModelNotLoaded);
  gate.Open();
  EXPECT_EQ(scheduler.Halt(queue, now + seconds(30), now + seconds(30)), 0U);
}

TEST(Scheduler, OnlyATimeThatShapesGiveIsSpentOnTheCallingThread) {
  TestQueue queue(false);
  Scheduler scheduler({.threads = 1});
  MakeShort(queue);
  EXPECT_NE(Submitted(scheduler, queue).Wait().thread, std::this_thread::get_id());
}

TEST(Scheduler, DrainLetsWhatWasAcceptedFinishAndRefusesTheRest) {
  TestQueue queue;
  Scheduler scheduler({.threads = 1});
  Gate gate;
  Submitted running(scheduler, queue, gate.Wait());
  gate.AwaitEntry();
  Submitted waiting(scheduler, queue);
  EXPECT_FALSE(scheduler.Drain(SteadyClock::now() + milliseconds(5)));
  EXPECT_EQ(Submitted(scheduler, queue).Wait().status.reason(), Reason::kDraining);
  gate.Open();
  EXPECT_TRUE(scheduler.Drain(SteadyClock::now() + seconds(30)));
  EXPECT_TRUE(running.over());
  ASSERT_TRUE(waiting.over());
  EXPECT_TRUE(waiting.Wait().ran);
}

TEST(Scheduler, DestructionAnswersEveryJob) {
  TestQueue queue;
  Gate gate;
  auto scheduler = std::make_unique<Scheduler>(SchedulerOptions{.threads = 1});
  Submitted running(*scheduler, queue, gate.Wait());
  gate.AwaitEntry();
  Submitted waiting(*scheduler, queue);
  std::thread opener([&] {
    std::this_thread::sleep_for(milliseconds(5));
    gate.Open();
  });
  scheduler.reset();
  opener.join();
  EXPECT_TRUE(running.Wait().ran);
  EXPECT_EQ(waiting.Wait().status.reason(), Reason::kDraining);
}

TEST(Scheduler, ManyThreadsManyJobsEachAnsweredOnce) {
  constexpr int kThreads = 4;
  constexpr int kJobs = 2000;
  std::atomic<int> answered = 0;
  class CountingJob : public Job {
   public:
    CountingJob(ModelQueue& queue, std::atomic<int>& count)
        : Job(queue, kNoDeadline, kSmall), count_(count) {}
    const engine::InferenceRequest& request() const override { return request_; }
    void CountRun(std::int64_t /*items*/, std::int64_t /*run_time_us*/) override {}
    Taken Respond(engine::InferenceResponse /*response*/) override { return Taken::kGoOn; }

   protected:
    void OnAnswer(Result<engine::InferenceResponse> /*outcome*/,
                  std::int64_t /*run_time_us*/) override {
      ++count_;
    }
    void OnRefuse(Status /*why*/, bool /*ran*/) override { ++count_; }
    void OnEnd(Status /*status*/) override {}

   private:
    const engine::InferenceRequest request_;
    std::atomic<int>& count_;
  };
  /// Answers without looking at its jobs.
  class CountingQueue : public ModelQueue {
   public:
    CountingQueue()
        : ModelQueue("m", {.time_given_by_shapes = true}, std::make_unique<OneByOne>()) {}
    bool Execute(std::span<const std::shared_ptr<Job>> jobs, engine::Stop* /*stop*/) override {
      for (const auto& job : jobs) job->Answer(engine::InferenceResponse(), 0);
      return false;
    }
  };
  CountingQueue queue;
  Scheduler scheduler({.threads = 2, .queue_length_max = 16});
  std::vector<std::thread> threads;
  for (int t = 0; t < kThreads; ++t) {
    threads.emplace_back([&] {
      for (int i = 0; i < kJobs; ++i) {
        scheduler.Submit(std::make_shared<CountingJob>(queue, answered));
        if (i == kJobs / 2) queue.run_times().Record(10, kSmall);
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_TRUE(scheduler.Drain(SteadyClock::now() + seconds(30)));
  EXPECT_EQ(answered, kThreads * kJobs);
}

TEST(RunTimes, AveragesRunTimesAndNeverForgetsThatItRan) {
  RunTimes times;
  EXPECT_EQ(times.Expected(kSmall), 0);
  times.Record(0, kSmall);
  EXPECT_EQ(times.Expected(kSmall), 1);
  times.Record(8001, kSmall);
  EXPECT_EQ(times.Expected(kSmall), 1001);
  for (int i = 0; i < 100; ++i) times.Record(80, kSmall);
  EXPECT_NEAR(static_cast<double>(times.Expected(kSmall)), 80, 8);
}

}  // namespace
}  // namespace mlos::scheduler
