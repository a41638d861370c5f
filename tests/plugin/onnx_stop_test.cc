// SPDX-License-Identifier: MIT
// Runs inside ONNX Runtime that are told to stop.
#include <gtest/gtest.h>

#include <chrono>
#include <limits>
#include <thread>

#include "tests/plugin/support.h"
#include "tests/plugin/test_run.h"

namespace mlos::plugin {
namespace {

constexpr std::int64_t kForever = std::numeric_limits<std::int64_t>::max();

engine::InferenceRequest Loop(std::int64_t count) {
  return Request("count", MakeTensor<std::int64_t>(tensor::DType::kInt64, {count}, {}), "x",
                 Floats({0}, {}));
}

TEST(OnnxStop, EndsALoopInsideOnnxRuntime) {
  const auto engine = MustLoad(OnnxPlugin());
  const auto model = MustLoadModel(*engine, "loop", Model("loop"));
  for (int round = 0; round < 3; ++round) {
    EXPECT_EQ(Stopped(*model, Loop(kForever), std::chrono::milliseconds(20)).reason(),
              Reason::kCancelled);
  }
}

TEST(OnnxStop, EndsALoopThatIsToldBeforeItBegins) {
  const auto engine = MustLoad(OnnxPlugin());
  const auto model = MustLoadModel(*engine, "loop", Model("loop"));
  engine::Stop stop;
  stop.Request();
  const auto response = model->Infer(Loop(kForever), &stop);
  EXPECT_EQ(response.status().reason(), Reason::kCancelled);
}

TEST(OnnxStop, OfOneRunLeavesTheOthersOfItsSessionAlone) {
  const auto engine = MustLoad(OnnxPlugin());
  const auto model = MustLoadModel(*engine, "loop", Model("loop"));
  constexpr std::int64_t kLong = 200'000;
  std::vector<std::thread> threads;
  for (const bool may_be_stopped : {false, true}) {
    threads.emplace_back([&model, may_be_stopped] {
      engine::Stop never;
      const auto response = model->Infer(Loop(kLong), may_be_stopped ? &never : nullptr);
      ASSERT_TRUE(response.ok()) << response.status();
      EXPECT_EQ(FloatsOf(response->outputs[0].tensor).at(0), static_cast<float>(kLong));
    });
  }
  for (int i = 0; i < 5; ++i) {
    EXPECT_EQ(Stopped(*model, Loop(kForever), std::chrono::milliseconds(5)).reason(),
              Reason::kCancelled);
  }
  for (std::thread& thread : threads) thread.join();
}

TEST(OnnxStop, TooLateChangesNothingAndIsNotTakenForTheNextRun) {
  const auto engine = MustLoad(OnnxPlugin());
  const auto model = MustLoadModel(*engine, "loop", Model("loop"));
  for (int i = 0; i < 200; ++i) {
    engine::Stop stop;
    std::thread other([&] { stop.Request(); });
    const auto response = model->Infer(Loop(3), &stop);
    other.join();
    if (!response.ok()) {
      EXPECT_EQ(response.status().reason(), Reason::kCancelled);
    }
    engine::Stop never;
    ASSERT_TRUE(model->Infer(Loop(3), &never).ok());
  }
}

}  // namespace
}  // namespace mlos::plugin
