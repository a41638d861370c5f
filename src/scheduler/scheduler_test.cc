// SPDX-License-Identifier: MIT
#include "scheduler/scheduler.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <atomic>
#include <functional>
#include <future>
#include <string>

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
  TestJob(Lane& lane, std::promise<Outcome>& outcome, std::function<void()> work, Deadline deadline,
          std::uint64_t input_bytes)
      : Job(lane, deadline, input_bytes), outcome_(outcome), work_(std::move(work)) {}

  void Run(std::int64_t queue_time_us) override {
    if (work_) work_();
    outcome_.set_value({true, OkStatus(), queue_time_us, std::this_thread::get_id()});
  }
  void Refuse(Status why, std::int64_t queue_time_us) override {
    outcome_.set_value({false, std::move(why), queue_time_us, std::this_thread::get_id()});
  }

 private:
  std::promise<Outcome>& outcome_;
  const std::function<void()> work_;
};

/// A job that is cancelled once `gone` is set.
class CancellableJob : public TestJob {
 public:
  CancellableJob(Lane& lane, std::promise<Outcome>& outcome, const std::atomic<bool>& gone)
      : TestJob(lane, outcome, {}, kNoDeadline, kSmall), gone_(gone) {}

  bool cancelled() const override { return gone_.load(); }

 private:
  const std::atomic<bool>& gone_;
};

/// A submitted job whose outcome can be waited for.
class Submitted {
 public:
  Submitted(Scheduler& scheduler, Lane& lane, std::function<void()> work = {},
            Deadline deadline = kNoDeadline, std::uint64_t input_bytes = kSmall) {
    scheduler.Submit(
        std::make_unique<TestJob>(lane, promise_, std::move(work), deadline, input_bytes));
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
  std::function<void()> Wait() {
    return [this] {
      entered_.set_value();
      opened_.get_future().wait();
    };
  }
  void AwaitEntry() { entered_.get_future().wait(); }
  void Open() { opened_.set_value(); }

 private:
  std::promise<void> entered_;
  std::promise<void> opened_;
};

void MakeShort(Lane& lane) { lane.RecordRunTime(100, kSmall); }

TEST(Lane, ALoneLongerRunIsPreemptionAndTwoAreTheModel) {
  Lane lane;
  for (int i = 0; i < 4; ++i) lane.RecordRunTime(40, kSmall);
  lane.RecordRunTime(4000, kSmall);
  EXPECT_EQ(lane.run_time_us(kSmall), 40);
  lane.RecordRunTime(4000, kSmall);
  EXPECT_EQ(lane.run_time_us(kSmall), 40 + (4000 - 40) / 8);
  Lane other;
  other.RecordRunTime(40, kSmall);
  other.RecordRunTime(80'000, kSmall);
  EXPECT_GT(other.run_time_us(kSmall), 5000) << "no core is lost for so long";
}

TEST(Lane, LargeRequestsBetweenSmallOnesAreNoPreemption) {
  Lane lane;
  for (int i = 0; i < 20; ++i) {
    lane.RecordRunTime(40, kSmall);
    lane.RecordRunTime(8000, kLarge);
  }
  EXPECT_EQ(lane.run_time_us(kSmall), 40);
  EXPECT_EQ(lane.run_time_us(kLarge), 8000);
  EXPECT_EQ(lane.run_time_us(4 * kSmall), 0) << "nothing of that size was seen";
  EXPECT_EQ(lane.run_time_us(0), 0);
  lane.RecordRunTime(9000, std::uint64_t{1} << 40);
  EXPECT_EQ(lane.run_time_us(~std::uint64_t{0}), 9000);
}

TEST(Scheduler, AModelThatNeverRanGoesToThePool) {
  Scheduler scheduler({.threads = 1});
  Lane lane;
  const Outcome outcome = Submitted(scheduler, lane).Wait();
  EXPECT_TRUE(outcome.ran);
  EXPECT_NE(outcome.thread, std::this_thread::get_id());
}

TEST(Scheduler, AShortModelRunsOnTheCallingThreadWithoutQueueing) {
  Scheduler scheduler({.threads = 1});
  Lane lane;
  MakeShort(lane);
  Submitted job(scheduler, lane);
  ASSERT_TRUE(job.over());
  const Outcome outcome = job.Wait();
  EXPECT_EQ(outcome.thread, std::this_thread::get_id());
  EXPECT_EQ(outcome.queue_time_us, 0);
}

TEST(Scheduler, AModelThatIsShortForSmallInputsRunsLargeOnesInThePool) {
  Scheduler scheduler({.threads = 1});
  Lane lane;
  MakeShort(lane);
  for (const bool seen : {false, true}) {
    const Outcome large = Submitted(scheduler, lane, {}, kNoDeadline, kLarge).Wait();
    EXPECT_NE(large.thread, std::this_thread::get_id()) << seen;
    EXPECT_EQ(Submitted(scheduler, lane).Wait().thread, std::this_thread::get_id()) << seen;
    lane.RecordRunTime(8000, kLarge);
  }
}

TEST(Scheduler, TheBoundBetweenShortAndLongIsExact) {
  Scheduler scheduler({.threads = 1});
  for (const std::int64_t run_time_us : {500, 501}) {
    Lane lane;
    lane.RecordRunTime(run_time_us, kSmall);
    const bool inline_run = Submitted(scheduler, lane).Wait().thread == std::this_thread::get_id();
    EXPECT_EQ(inline_run, run_time_us == 500) << run_time_us;
  }
}

TEST(Scheduler, AShortModelQueuesBehindItsOwnRequestsThatWait) {
  Scheduler scheduler({.threads = 1});
  Lane busy;
  Lane lane;
  Gate gate;
  Submitted blocker(scheduler, busy, gate.Wait());
  gate.AwaitEntry();
  Submitted first(scheduler, lane);
  MakeShort(lane);
  EXPECT_EQ(lane.waiting(), 1U);
  Submitted second(scheduler, lane);
  EXPECT_FALSE(second.over()) << "it overtook the first";
  gate.Open();
  EXPECT_TRUE(first.Wait().ran);
  EXPECT_TRUE(second.Wait().ran);
  EXPECT_EQ(lane.waiting(), 0U);
  EXPECT_TRUE(blocker.Wait().ran);
}

/// Has to be run twice.
class TwoRuns : public TestJob {
 public:
  TwoRuns(Lane& lane, std::promise<Outcome>& outcome, std::thread::id& first)
      : TestJob(lane, outcome, {}, kNoDeadline, kSmall), first_(first) {}

  void Run(std::int64_t queue_time_us) override {
    unfinished_ = !unfinished_;
    if (!unfinished_) return TestJob::Run(queue_time_us);
    first_ = std::this_thread::get_id();
  }
  bool unfinished() const override { return unfinished_; }

 private:
  std::thread::id& first_;
  bool unfinished_ = false;
};

TEST(Scheduler, WhatTheCallingThreadLeavesUnfinishedThePoolFinishes) {
  Scheduler scheduler({.threads = 1});
  Lane lane;
  MakeShort(lane);
  std::promise<Outcome> outcome;
  std::thread::id first;
  scheduler.Submit(std::make_unique<TwoRuns>(lane, outcome, first));
  EXPECT_EQ(first, std::this_thread::get_id());
  EXPECT_NE(outcome.get_future().get().thread, first);
  EXPECT_TRUE(scheduler.Drain(SteadyClock::now() + seconds(30)));
}

TEST(Scheduler, RefusesOneMoreThanTheQueueHolds) {
  Scheduler scheduler({.threads = 1, .queue_length_max = 2});
  Lane lane;
  Gate gate;
  Submitted running(scheduler, lane, gate.Wait());
  gate.AwaitEntry();
  Submitted first(scheduler, lane);
  Submitted second(scheduler, lane);
  Submitted third(scheduler, lane);
  ASSERT_TRUE(third.over());
  EXPECT_EQ(third.Wait().status.reason(), Reason::kOverloaded);
  gate.Open();
  EXPECT_TRUE(first.Wait().ran);
  EXPECT_TRUE(second.Wait().ran);
  EXPECT_TRUE(running.Wait().ran);
}

TEST(Scheduler, ADeadlineThatPassedIsRefusedAtAdmissionEvenInline) {
  Scheduler scheduler({.threads = 1});
  Lane lane;
  MakeShort(lane);
  const Outcome outcome =
      Submitted(scheduler, lane, {}, SteadyClock::now() - milliseconds(1)).Wait();
  EXPECT_FALSE(outcome.ran);
  EXPECT_EQ(outcome.status.reason(), Reason::kDeadlineExceeded);
}

TEST(Scheduler, ADeadlineThatPassesInTheQueueIsRefusedAtDequeue) {
  Scheduler scheduler({.threads = 1});
  Lane lane;
  Gate gate;
  Submitted running(scheduler, lane, gate.Wait());
  gate.AwaitEntry();
  Submitted late(scheduler, lane, {}, SteadyClock::now() + milliseconds(5));
  EXPECT_FALSE(late.over());
  std::this_thread::sleep_for(milliseconds(6));
  gate.Open();
  const Outcome outcome = late.Wait();
  EXPECT_FALSE(outcome.ran);
  EXPECT_EQ(outcome.status.reason(), Reason::kDeadlineExceeded);
  EXPECT_GE(outcome.queue_time_us, 5000);
  EXPECT_TRUE(running.Wait().ran);
}

TEST(Scheduler, WhatIsCancelledDoesNotWaitForWhatRuns) {
  Scheduler scheduler({.threads = 1});
  Lane lane;
  Gate gate;
  std::atomic<bool> gone{false};
  Submitted running(scheduler, lane, gate.Wait());
  gate.AwaitEntry();
  std::promise<Outcome> cancelled_promise;
  std::future<Outcome> cancelled = cancelled_promise.get_future();
  Submitted before(scheduler, lane);
  scheduler.Submit(std::make_unique<CancellableJob>(lane, cancelled_promise, gone));
  Submitted behind(scheduler, lane);
  scheduler.RefuseCancelled();
  EXPECT_EQ(cancelled.wait_for(seconds(0)), std::future_status::timeout);
  EXPECT_EQ(lane.waiting(), 3);
  gone = true;
  scheduler.RefuseCancelled();
  ASSERT_EQ(cancelled.wait_for(seconds(0)), std::future_status::ready);
  EXPECT_EQ(cancelled.get().status.reason(), Reason::kCancelled);
  EXPECT_EQ(lane.waiting(), 2);
  gate.Open();
  EXPECT_TRUE(running.Wait().ran);
  EXPECT_TRUE(before.Wait().ran);
  EXPECT_TRUE(behind.Wait().ran);
  EXPECT_TRUE(scheduler.Drain(SteadyClock::now() + seconds(10)));
}

TEST(Scheduler, DrainLetsWhatWasAcceptedFinishAndRefusesTheRest) {
  Scheduler scheduler({.threads = 1});
  Lane lane;
  Gate gate;
  Submitted running(scheduler, lane, gate.Wait());
  gate.AwaitEntry();
  Submitted waiting(scheduler, lane);
  EXPECT_FALSE(scheduler.Drain(SteadyClock::now() + milliseconds(5)));
  EXPECT_EQ(Submitted(scheduler, lane).Wait().status.reason(), Reason::kDraining);
  gate.Open();
  EXPECT_TRUE(scheduler.Drain(SteadyClock::now() + seconds(30)));
  EXPECT_TRUE(running.over());
  ASSERT_TRUE(waiting.over());
  EXPECT_TRUE(waiting.Wait().ran);
}

TEST(Scheduler, DestructionAnswersEveryJob) {
  Lane lane;
  Gate gate;
  auto scheduler = std::make_unique<Scheduler>(SchedulerOptions{.threads = 1});
  Submitted running(*scheduler, lane, gate.Wait());
  gate.AwaitEntry();
  Submitted waiting(*scheduler, lane);
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
    CountingJob(Lane& lane, std::atomic<int>& count)
        : Job(lane, kNoDeadline, kSmall), count_(count) {}
    void Run(std::int64_t /*queue_time_us*/) override { ++count_; }
    void Refuse(Status /*why*/, std::int64_t /*queue_time_us*/) override { ++count_; }

   private:
    std::atomic<int>& count_;
  };
  Lane lane;
  Scheduler scheduler({.threads = 2, .queue_length_max = 16});
  std::vector<std::thread> threads;
  for (int t = 0; t < kThreads; ++t) {
    threads.emplace_back([&] {
      for (int i = 0; i < kJobs; ++i) {
        scheduler.Submit(std::make_unique<CountingJob>(lane, answered));
        if (i == kJobs / 2) lane.RecordRunTime(10, kSmall);
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_TRUE(scheduler.Drain(SteadyClock::now() + seconds(30)));
  EXPECT_EQ(answered, kThreads * kJobs);
}

TEST(Lane, AveragesRunTimesAndNeverForgetsThatItRan) {
  Lane lane;
  EXPECT_EQ(lane.run_time_us(kSmall), 0);
  lane.RecordRunTime(0, kSmall);
  EXPECT_EQ(lane.run_time_us(kSmall), 1);
  lane.RecordRunTime(8001, kSmall);
  EXPECT_EQ(lane.run_time_us(kSmall), 1001);
  for (int i = 0; i < 100; ++i) lane.RecordRunTime(80, kSmall);
  EXPECT_NEAR(static_cast<double>(lane.run_time_us(kSmall)), 80, 8);
}

}  // namespace
}  // namespace mlos::scheduler
