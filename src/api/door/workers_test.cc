// SPDX-License-Identifier: MIT
#include "api/door/workers.h"

#include <gtest/gtest.h>

#include <chrono>
#include <future>
#include <thread>
#include <vector>

namespace mlos::api::door {
namespace {

using std::chrono::milliseconds;

/// Workers whose loaders are kept busy until Release.
class WorkersTest : public testing::Test {
 protected:
  WorkersTest() {
    for (std::promise<void>& started : started_) {
      workers_.Run(Executor::kLoader, kNoDeadline, [&](const Status& turn) {
        EXPECT_TRUE(turn.ok());
        started.set_value();
        release_.wait();
      });
    }
    for (std::promise<void>& started : started_) started.get_future().wait();
  }
  ~WorkersTest() override { Release(); }

  void Release() {
    if (std::exchange(released_, true)) return;
    releasing_.set_value();
  }

  std::future<Status> Load(Deadline deadline) {
    auto told = std::make_shared<std::promise<Status>>();
    workers_.Run(Executor::kLoader, deadline,
                 [told](Status turn) { told->set_value(std::move(turn)); });
    return told->get_future();
  }

  std::promise<void> started_[2];
  std::promise<void> releasing_;
  std::shared_future<void> release_ = releasing_.get_future().share();
  bool released_ = false;
  Workers workers_;
};

TEST_F(WorkersTest, OtherWorkDoesNotWaitForLoads) {
  for (const Executor executor : {Executor::kWorker, Executor::kManager}) {
    std::promise<std::thread::id> ran;
    workers_.Run(executor, kNoDeadline, [&](const Status& turn) {
      EXPECT_TRUE(turn.ok());
      ran.set_value(std::this_thread::get_id());
    });
    EXPECT_NE(ran.get_future().get(), std::this_thread::get_id());
  }
}

TEST_F(WorkersTest, WorkOfTheEventThreadIsDoneAtOnce) {
  std::thread::id ran;
  workers_.Run(Executor::kEventThread, kNoDeadline,
               [&](const Status&) { ran = std::this_thread::get_id(); });
  EXPECT_EQ(ran, std::this_thread::get_id());
}

TEST_F(WorkersTest, ALoadThatIsNotStartedInTimeIsRefusedWhenItIsDue) {
  const Deadline deadline = SteadyClock::now() + milliseconds(20);
  EXPECT_EQ(Load(deadline).get().reason(), Reason::kDeadlineExceeded);
  EXPECT_GE(SteadyClock::now(), deadline);
}

TEST_F(WorkersTest, LoadsThatWaitAreStartedLater) {
  std::future<Status> first = Load(kNoDeadline);
  std::future<Status> second = Load(SteadyClock::now() + std::chrono::hours(1));
  EXPECT_EQ(first.wait_for(milliseconds(10)), std::future_status::timeout);
  Release();
  EXPECT_TRUE(first.get().ok());
  EXPECT_TRUE(second.get().ok());
}

TEST_F(WorkersTest, TooManyLoadsAreRefusedAtOnce) {
  std::vector<std::future<Status>> waiting;
  for (std::size_t i = 0; i < Workers::kLoadsWaitingMax; ++i) waiting.push_back(Load(kNoDeadline));
  EXPECT_EQ(Load(kNoDeadline).get().reason(), Reason::kOverloaded);
  Release();
  for (auto& load : waiting) EXPECT_TRUE(load.get().ok());
}

TEST_F(WorkersTest, AfterTheEndLoadsAreRefusedAndOtherWorkIsDoneAtOnce) {
  std::future<Status> waiting = Load(SteadyClock::now() + std::chrono::hours(1));
  Release();
  workers_.Join();
  EXPECT_TRUE(waiting.get().ok());
  EXPECT_EQ(Load(kNoDeadline).get().reason(), Reason::kDraining);
  bool ran = false;
  workers_.Post(Executor::kManager, [&] { ran = true; });
  EXPECT_TRUE(ran);
}

}  // namespace
}  // namespace mlos::api::door
