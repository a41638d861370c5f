// SPDX-License-Identifier: MIT
#include "runtime/loading_queue.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <chrono>
#include <future>
#include <memory>

namespace mlos::runtime {
namespace {

using std::chrono::milliseconds;

/// What a request is told, once. Outlives the queue.
class Told {
 public:
  LoadingQueue::Resume resume() {
    return [this](Status outcome) { told_.set_value(std::move(outcome)); };
  }
  bool nothing() { return future_.wait_for(milliseconds(20)) == std::future_status::timeout; }
  Status status() { return future_.get(); }
  Reason reason() { return status().reason(); }

 private:
  std::promise<Status> told_;
  std::future<Status> future_ = told_.get_future();
};

TEST(LoadingQueueTest, ARequestGoesOnWhenItsModelIsSettledAndNoOther) {
  Told a, b;
  LoadingQueue queue(8);
  queue.Wait("a", kNoDeadline, nullptr, a.resume());
  queue.Wait("b", kNoDeadline, nullptr, b.resume());
  EXPECT_EQ(queue.waiting("a"), 1U);
  queue.Settled("a");
  EXPECT_TRUE(a.status().ok());
  EXPECT_TRUE(b.nothing());
  EXPECT_EQ(queue.waiting("a"), 0U);
  queue.Settled("b");
  EXPECT_TRUE(b.status().ok());
}

TEST(LoadingQueueTest, ItsTimeIsOverWhenItIs) {
  Told late, patient;
  LoadingQueue queue(8);
  queue.Wait("m", kNoDeadline, nullptr, patient.resume());
  queue.Wait("m", SteadyClock::now() + milliseconds(30), nullptr, late.resume());
  EXPECT_EQ(late.reason(), Reason::kModelLoading);
  EXPECT_TRUE(patient.nothing());
}

TEST(LoadingQueueTest, WhoLeavesIsToldWhetherBeforeOrWhileItWaits) {
  Told before, during;
  LoadingQueue queue(8);
  const auto left = std::make_shared<engine::Cancellation>();
  const auto leaves = std::make_shared<engine::Cancellation>();
  queue.Wait("m", kNoDeadline, leaves, during.resume());
  EXPECT_TRUE(during.nothing());
  leaves->Cancel();
  EXPECT_EQ(during.reason(), Reason::kCancelled);
  left->Cancel();
  queue.Wait("m", kNoDeadline, left, before.resume());
  EXPECT_EQ(before.reason(), Reason::kCancelled);
}

TEST(LoadingQueueTest, NoMoreWaitThanThereIsRoomFor) {
  Told first, second, third;
  LoadingQueue queue(1);
  queue.Wait("m", kNoDeadline, nullptr, first.resume());
  queue.Wait("m", kNoDeadline, nullptr, second.resume());
  EXPECT_EQ(second.reason(), Reason::kOverloaded);
  queue.Settled("m");
  EXPECT_TRUE(first.status().ok());
  queue.Wait("m", kNoDeadline, nullptr, third.resume());
  queue.Settled("m");
  EXPECT_TRUE(third.status().ok());
}

TEST(LoadingQueueTest, AtTheEndAllAreTold) {
  Told waits, comes;
  LoadingQueue queue(8);
  queue.Wait("m", kNoDeadline, nullptr, waits.resume());
  queue.Close();
  EXPECT_EQ(waits.reason(), Reason::kDraining);
  queue.Wait("m", kNoDeadline, nullptr, comes.resume());
  EXPECT_EQ(comes.reason(), Reason::kDraining);
}

}  // namespace
}  // namespace mlos::runtime
