// SPDX-License-Identifier: MIT
#include "catalog/timed_loads.h"

#include <gtest/gtest.h>

#include <atomic>
#include <chrono>
#include <future>
#include <utility>
#include <vector>

#include "base/test_waiting.h"

namespace mlos::catalog {
namespace {

using std::chrono::milliseconds;

/// A model that says when it is freed.
class Model : public engine::LoadedModel {
 public:
  explicit Model(std::atomic<int>& freed) : freed_(freed) {}
  ~Model() override { ++freed_; }
  const engine::ModelSchema& schema() const override { return schema_; }
  engine::MemoryReport memory() const override { return {}; }
  Result<engine::InferenceResponse> Infer(const engine::InferenceRequest& /*request*/,
                                          engine::Stop* /*stop*/) override {
    return engine::InferenceResponse();
  }

 private:
  const engine::ModelSchema schema_;
  std::atomic<int>& freed_;
};

TEST(TimedLoads, AreWhatTheLoadGives) {
  TimedLoads loads;
  std::atomic<int> freed{0};
  const auto load = [&] { return TimedLoads::Outcome(std::make_unique<Model>(freed)); };
  EXPECT_NE(loads.Run(load, kNoDeadline).value(), nullptr);
  EXPECT_EQ(freed.load(), 1);
  const auto fail = [] { return TimedLoads::Outcome(Status(Reason::kInvalidModel, "no")); };
  EXPECT_EQ(loads.Run(fail, kNoDeadline).status().reason(), Reason::kInvalidModel);
  EXPECT_EQ(loads.overdue(), 0U);
}

TEST(TimedLoads, OverTheirTimeAreCountedAndFreedWhenTheyEnd) {
  TimedLoads loads;
  std::atomic<int> freed{0};
  std::promise<void> go_on;
  const std::shared_future<void> gate = go_on.get_future().share();
  const auto slow = [&freed, gate] {
    gate.wait();
    return TimedLoads::Outcome(std::make_unique<Model>(freed));
  };
  for (std::uint32_t i = 1; i <= TimedLoads::kOverdueMax; ++i) {
    const auto outcome = loads.Run(slow, SteadyClock::now() + milliseconds(1));
    EXPECT_EQ(outcome.status().reason(), Reason::kDeadlineExceeded);
    EXPECT_EQ(loads.overdue(), i);
  }
  EXPECT_EQ(loads.Run(slow, kNoDeadline).status().reason(), Reason::kOverloaded);
  go_on.set_value();
  EXPECT_TRUE(Eventually([&] { return loads.overdue() == 0; }));
  EXPECT_EQ(freed.load(), static_cast<int>(TimedLoads::kOverdueMax));
  EXPECT_NE(loads.Run(slow, kNoDeadline).value(), nullptr);
}

}  // namespace
}  // namespace mlos::catalog
