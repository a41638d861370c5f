// SPDX-License-Identifier: MIT
#include "scheduler/slots.h"

#include <gtest/gtest.h>

#include <chrono>
#include <iterator>
#include <memory>
#include <span>

namespace mlos::scheduler {
namespace {

using std::chrono::milliseconds;
using TimePoint = SteadyClock::time_point;

constexpr std::uint64_t kBytes = 1000;

class IdleJob : public Job {
 public:
  explicit IdleJob(ModelQueue& queue) : Job(queue, kNoDeadline, kBytes) {}

  const engine::InferenceRequest& request() const override {
    static const engine::InferenceRequest request;
    return request;
  }
  void CountRun(std::int64_t /*items*/, std::int64_t /*run_time_us*/) override {}
  Taken Respond(engine::InferenceResponse /*response*/) override { return Taken::kDrop; }

 protected:
  void OnAnswer(Result<engine::InferenceResponse> /*outcome*/,
                std::int64_t /*run_time_us*/) override {}
  void OnRefuse(Status /*why*/, bool /*ran*/) override {}
  void OnEnd(Status /*status*/) override {}
};

/// A model whose runs are known to take so long; 0: they are not known.
class KnownModel : public ModelQueue {
 public:
  explicit KnownModel(milliseconds run_time)
      : ModelQueue("m", {.runs_max = 100}, std::make_unique<OneByOne>()) {
    if (run_time.count() == 0) return;
    for (int i = 0; i < 2; ++i) {
      run_times().Record(std::chrono::microseconds(run_time).count(), kBytes);
    }
  }
  bool Execute(std::span<const std::shared_ptr<Job>> /*jobs*/, engine::Stop* /*stop*/) override {
    return false;
  }
};

class SlotsTest : public testing::Test {
 protected:
  /// Whether a job of `model` starts at `now`; it does not wait if it cannot.
  bool Starts(ModelQueue& model, TimePoint now) {
    EXPECT_TRUE(queue_.Push(std::make_shared<IdleJob>(model), now));
    const bool can_start = slots_.NextStart(queue_, now) == now;
    const bool started = slots_.Start(queue_, now);
    EXPECT_EQ(can_start, started);
    queue_.Clear(nullptr);
    return started;
  }

  const TimePoint start_ = SteadyClock::now();
  KnownModel unknown_{milliseconds(0)};
  KnownModel short_{milliseconds(5)};
  KnownModel middling_{milliseconds(50)};
  RunQueue queue_{100};
  Slots slots_{1};
};

TEST_F(SlotsTest, AnEmptySlotIsForAnyRunAndAHeldOneForNone) {
  EXPECT_EQ(slots_.NextRoom(start_), TimePoint::max());
  EXPECT_TRUE(Starts(unknown_, start_));
  EXPECT_FALSE(Starts(short_, start_));
  slots_.Remove(slots_.runs().begin());
  EXPECT_TRUE(Starts(unknown_, start_));
}

TEST_F(SlotsTest, ARunGivesItsSlotUpToShorterOnesFirstAndToAllAfterASecond) {
  ASSERT_TRUE(Starts(unknown_, start_));
  EXPECT_EQ(slots_.NextRoom(start_), start_ + kShortRun);
  EXPECT_FALSE(Starts(short_, start_ + milliseconds(9)));
  EXPECT_FALSE(Starts(middling_, start_ + milliseconds(10)));
  EXPECT_TRUE(Starts(short_, start_ + milliseconds(10)));
  slots_.Remove(std::prev(slots_.runs().end()));
  EXPECT_FALSE(Starts(middling_, start_ + milliseconds(79)));
  EXPECT_TRUE(Starts(middling_, start_ + milliseconds(80)));
  slots_.Remove(std::prev(slots_.runs().end()));
  EXPECT_FALSE(Starts(unknown_, start_ + milliseconds(999)));
  EXPECT_EQ(slots_.NextRoom(start_ + milliseconds(999)), start_ + kLongRun);
  EXPECT_TRUE(Starts(unknown_, start_ + milliseconds(1000)));
}

TEST_F(SlotsTest, RunsThatGaveTheirSlotsUpAreBoundedUnlessTheyAreOverdue) {
  TimePoint now = start_;
  int runs = 0;
  while (Starts(unknown_, now)) {
    ++runs;
    now += kLongRun;
  }
  EXPECT_EQ(runs, 17) << "one slot, and 16 beside it";
  slots_.runs().front().overdue = true;
  EXPECT_TRUE(Starts(unknown_, now));
}

}  // namespace
}  // namespace mlos::scheduler
