// SPDX-License-Identifier: MIT
// Requests that the ONNX Runtime plugin rejects, limits that it keeps, and concurrency.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <thread>

#include "tests/plugin/support.h"

namespace mlos::plugin {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::Not;

/// Expects `request` to be the caller's fault.
void ExpectRejected(engine::LoadedModel& model, const engine::InferenceRequest& request,
                    std::string_view field, const std::string& says) {
  const auto response = model.Infer(request, nullptr);
  ASSERT_FALSE(response.ok());
  EXPECT_EQ(response.status().reason(), Reason::kInferenceRejected) << response.status();
  EXPECT_EQ(response.status().field(), field);
  EXPECT_THAT(std::string(response.status().message()),
              AllOf(HasSubstr(says), Not(HasSubstr(".cc:")), Not(HasSubstr("onnxruntime::"))));
}

TEST(OnnxRun, RejectsInputsThatDoNotFit) {
  const auto engine = MustLoad(OnnxPlugin());
  const auto model = MustLoadModel(*engine, "add", Model("add"));
  const auto fine = [] { return Floats({1, 2, 3}, {1, 3}); };
  ExpectRejected(*model, Request("a", fine()), "b", "input \"b\" is missing");
  ExpectRejected(*model, Request("a", fine(), "b", Floats({1, 2}, {1, 2})), "b",
                 "has shape [1,2]; expected [batch,3]");
  ExpectRejected(*model, Request("a", fine(), "b", Floats({1, 2, 3})), "b",
                 "has shape [3]; expected [batch,3]");
  ExpectRejected(*model, Request("a", Int64s({1, 2, 3}), "b", fine()), "a",
                 "is int64; expected float32");
  auto more = Request("a", fine(), "b", fine());
  more.inputs.push_back({"c", fine()});
  ExpectRejected(*model, more, "c", "is unknown to the model");
}

TEST(OnnxRun, RejectsValuesThatANodeCannotWorkWith) {
  const auto engine = MustLoad(OnnxPlugin());
  const auto gather = MustLoadModel(*engine, "gather", Model("gather"));
  ExpectRejected(*gather, Request("index", Int64s({3})), "",
                 "node Gather \"pick\": indices element");
  EXPECT_TRUE(gather->Infer(Request("index", Int64s({2, 0})), nullptr).ok());
  const auto add = MustLoadModel(*engine, "add", Model("add"));
  ExpectRejected(
      *add,
      Request("a", Floats({1, 2, 3, 4, 5, 6}, {2, 3}), "b", Floats(std::vector<float>(9), {3, 3})),
      "", "Attempting to broadcast");
}

TEST(OnnxRun, KeepsToItsArena) {
  const auto engine = MustLoad(OnnxPlugin(), {.arena_bytes_max = 64 << 20});
  EXPECT_EQ(engine->memory().arena_limit_bytes, 64u << 20);
  const auto model = MustLoadModel(*engine, "expand", Model("expand"));
  const auto run = [&](std::int64_t size) {
    return model->Infer(Request("x", Floats({1}, {}), "shape", Int64s({size, 1024, 1024})),
                        nullptr);
  };
  for (int round = 0; round < 3; ++round) {
    const auto fits = run(4);  // 16 MiB
    ASSERT_TRUE(fits.ok()) << fits.status();
    EXPECT_EQ(fits->outputs[0].tensor.size_bytes(), 16u << 20);
    for (const std::int64_t size : {1'000, 1'000'000}) {
      const auto exceeds = run(size);
      ASSERT_FALSE(exceeds.ok());
      EXPECT_EQ(exceeds.status().reason(), Reason::kOutOfMemory) << exceeds.status();
    }
  }
}

TEST(OnnxRun, SizesThatAlwaysChangeDoNotFillTheArenaWithPieces) {
  const auto engine = MustLoad(OnnxPlugin(), {.arena_bytes_max = 64 << 20});
  const auto model = MustLoadModel(*engine, "expand", Model("expand"));
  for (std::int64_t size = 1; size <= 12; ++size) {  // 4 to 48 MiB, 312 MiB together
    const auto response =
        model->Infer(Request("x", Floats({1}, {}), "shape", Int64s({size, 1024, 1024})), nullptr);
    ASSERT_TRUE(response.ok()) << size << ": " << response.status();
  }
}

TEST(OnnxRun, ASizeBeyondAllNumbersIsTheCallersFault) {
  const auto engine = MustLoad(OnnxPlugin(), {.arena_bytes_max = 64 << 20});
  const auto model = MustLoadModel(*engine, "expand", Model("expand"));
  const std::int64_t huge = std::int64_t{1} << 40;
  const auto response =
      model->Infer(Request("x", Floats({1}, {}), "shape", Int64s({huge, huge, huge})), nullptr);
  ASSERT_FALSE(response.ok());
  EXPECT_EQ(response.status().reason(), Reason::kInferenceRejected) << response.status();
}

TEST(OnnxRun, RunsOneModelConcurrently) {
  const auto engine = MustLoad(OnnxPlugin());
  const auto model = MustLoadModel(*engine, "add", Model("add"));
  std::vector<std::thread> threads;
  for (int t = 0; t < 4; ++t) {
    threads.emplace_back([&model, t] {
      for (int i = 0; i < 300; ++i) {
        const auto batch = static_cast<std::size_t>(1 + (t + i) % 5);
        const std::vector<float> a(batch * 3, static_cast<float>(t));
        const std::vector<float> b(batch * 3, static_cast<float>(i));
        const tensor::Shape shape = {static_cast<std::int64_t>(batch), 3};
        const auto response =
            model->Infer(Request("a", Floats(a, shape), "b", Floats(b, shape)), nullptr);
        ASSERT_TRUE(response.ok()) << response.status();
        ASSERT_EQ(FloatsOf(response->outputs[0].tensor),
                  std::vector<float>(batch * 3, static_cast<float>(t + i)));
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
}

TEST(OnnxRun, RunsOfTheSameShapesKeepTheirValuesApart) {
  const auto engine = MustLoad(OnnxPlugin());
  const auto model = MustLoadModel(*engine, "add", Model("add"));
  std::vector<engine::InferenceResponse> responses;
  const std::size_t batches[] = {2, 2, 2, 2, 1, 2, 2, 3, 3, 3};
  for (std::size_t i = 0; i < std::size(batches); ++i) {
    const std::vector<float> a(batches[i] * 3, static_cast<float>(i));
    const tensor::Shape shape = {static_cast<std::int64_t>(batches[i]), 3};
    auto request = Request("a", Floats(a, shape), "b", Floats(a, shape));
    if (i % 2 == 1) request.requested_outputs = {"difference", "sum"};
    responses.push_back(model->Infer(request, nullptr).value());
  }
  for (std::size_t i = 0; i < responses.size(); ++i) {
    const auto& outputs = responses[i].outputs;
    const std::size_t sum = i % 2;
    EXPECT_EQ(FloatsOf(outputs[sum].tensor),
              std::vector<float>(batches[i] * 3, 2 * static_cast<float>(i)));
    EXPECT_EQ(FloatsOf(outputs[1 - sum].tensor), std::vector<float>(batches[i] * 3, 0));
  }
}

TEST(OnnxRun, ShapesThatFollowFromValuesAreTold) {
  const auto engine = MustLoad(OnnxPlugin());
  const auto model = MustLoadModel(*engine, "expand", Model("expand"));
  for (const std::int64_t size : {2, 2, 2, 2, 3, 3, 0, 2, 2, 2, 1}) {
    const auto response =
        model->Infer(Request("x", Floats({5}, {}), "shape", Int64s({size})), nullptr);
    ASSERT_TRUE(response.ok()) << response.status();
    EXPECT_EQ(response->outputs[0].tensor.shape(), tensor::Shape{size});
    EXPECT_EQ(FloatsOf(response->outputs[0].tensor),
              std::vector<float>(static_cast<std::size_t>(size), 5));
  }
}

TEST(OnnxRun, AnOutputMayBeAnInputAsItCame) {
  const auto engine = MustLoad(OnnxPlugin());
  const auto model = MustLoadModel(*engine, "through", Model("through"));
  for (int i = 0; i < 5; ++i) {
    const auto value = static_cast<float>(i);
    const auto response = model->Infer(Request("x", Floats({value})), nullptr);
    ASSERT_TRUE(response.ok()) << response.status();
    EXPECT_EQ(FloatsOf(response->outputs[0].tensor), std::vector<float>{value});
    EXPECT_EQ(FloatsOf(response->outputs[1].tensor), std::vector<float>{-value});
  }
}

TEST(OnnxRun, OutputsOutliveTheirModelAndEngine) {
  auto engine = MustLoad(OnnxPlugin());
  auto model = MustLoadModel(*engine, "strings", Model("identity_string"));
  auto response = model->Infer(Request("x", Strings({"kept"}, {1})), nullptr);
  ASSERT_TRUE(response.ok()) << response.status();
  model.reset();
  engine.reset();
  EXPECT_EQ(StringsOf(response->outputs[0].tensor), std::vector<std::string>{"kept"});
}

}  // namespace
}  // namespace mlos::plugin
