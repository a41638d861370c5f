// SPDX-License-Identifier: MIT
// What the ONNX Runtime plugin takes on, and what it refuses.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <iterator>
#include <thread>

#include "tests/plugin/support.h"

namespace mlos::plugin {
namespace {

using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::Not;

std::filesystem::path Models() { return MLOS_MODELS; }

TEST(OnnxPlugin, SaysWhatItIs) {
  const auto engine = MustLoad(OnnxPlugin(), {.expected_id = "onnx-runtime-builtin"});
  EXPECT_EQ(engine->name(), "ONNX Runtime");
  EXPECT_EQ(engine->version().substr(0, 2), "1.");
  EXPECT_THAT(engine->formats(), ElementsAre("onnx"));
}

TEST(OnnxPlugin, ReadsItsConfiguration) {
  MustLoad(OnnxPlugin(), {.config = R"({"graph_optimization":"basic"})"});
  for (const char* config :
       {R"({"graph_optimization":"more"})", R"({"graph":1})", "[]", "{",
        // Whoever may configure the plugin still cannot make it load a library.
        R"({"custom_op_library":"/tmp/evil.so"})",
        R"({"session.register_custom_ops_library":"/tmp/evil.so"})",
        R"({"optimized_model_filepath":"/tmp/out.onnx"})"}) {
    const auto engine = LoadPlugin(OnnxPlugin(), {.config = config});
    EXPECT_EQ(engine.status().reason(), Reason::kInvalidConfig) << config;
  }
}

class OnnxRefused : public ::testing::TestWithParam<Refusal> {};

TEST_P(OnnxRefused, SaysWhyAndNotWhere) {
  const auto engine = MustLoad(OnnxPlugin());
  const auto model = engine->Load({.model_id = "m", .path = Models() / GetParam().file});
  ASSERT_FALSE(model.ok());
  EXPECT_EQ(model.status().reason(), GetParam().reason) << model.status();
  EXPECT_THAT(std::string(model.status().message()),
              AllOf(HasSubstr(GetParam().says), Not(HasSubstr(Models().string())),
                    Not(HasSubstr("onnxruntime_src")), Not(HasSubstr(".cc:"))));
}

INSTANTIATE_TEST_SUITE_P(
    Table, OnnxRefused,
    ::testing::Values(Refusal{"garbage.onnx", Reason::kInvalidModel, "garbage.onnx"},
                      Refusal{"truncated.onnx", Reason::kInvalidModel, "truncated.onnx"},
                      Refusal{"empty.onnx", Reason::kInvalidModel, ""},
                      Refusal{"none.onnx", Reason::kInvalidModel, "none.onnx"},
                      Refusal{"external_missing/model.onnx", Reason::kInvalidModel, "weights.bin"},
                      Refusal{"unknown_op.onnx", Reason::kUnsupportedModel, "NoSuchOp"},
                      Refusal{"future.onnx", Reason::kUnsupportedModel, "99"},
                      Refusal{"sequence.onnx", Reason::kUnsupportedModel,
                              "input \"items\" is a sequence"},
                      Refusal{"only_scores.onnx", Reason::kUnsupportedModel,
                              "without ZipMap: options={'zipmap': False}"},
                      Refusal{"locale.onnx", Reason::kUnsupportedModel,
                              "the locale xx_XX.UTF-8 is missing on this machine; "},
                      Refusal{"complex.onnx", Reason::kUnsupportedModel, "complex64"}),
    [](const auto& info) {
      std::string name = info.param.file;
      std::replace_if(name.begin(), name.end(), [](char c) { return !std::isalnum(c); }, '_');
      return name;
    });

/// Of this process.
std::ptrdiff_t CountThreads() {
  return std::distance(std::filesystem::directory_iterator("/proc/self/task"), {});
}

TEST(OnnxModels, MayComputeWithThreadsOfTheirOwn) {
  const auto engine = MustLoad(OnnxPlugin());
  const auto load = [&](const char* id, std::uint32_t thread_count) {
    return engine
        ->Load({.model_id = id,
                .path = Model("identity_float32"),
                .format = "onnx",
                .digest = "sha256:01",
                .thread_count = thread_count})
        .value();
  };
  const auto shared = load("shared", 0);
  const std::ptrdiff_t before = CountThreads();
  {
    const auto one = load("one", 1);
    EXPECT_EQ(CountThreads(), before) << "the thread that calls is the one";
    const auto four = load("four", 4);
    EXPECT_EQ(CountThreads(), before + 3);
    const auto again = load("again", 4);
    EXPECT_EQ(CountThreads(), before + 3) << "equal weights and threads are one session";
    const auto response = four->Infer(Request("x", Floats({1, 2})), nullptr);
    ASSERT_TRUE(response.ok()) << response.status();
    const auto other = shared->Infer(Request("x", Floats({1, 2})), nullptr);
    EXPECT_EQ(FloatsOf(response->outputs[0].tensor), FloatsOf(other->outputs[0].tensor));
  }
  EXPECT_EQ(CountThreads(), before) << "they end with their model";
}

TEST(OnnxModels, UseTheirWeightsWhereTheFileIsMapped) {
  const auto engine = MustLoad(OnnxPlugin());
  {
    const auto model = MustLoadModel(*engine, "heavy", Model("heavy"));
    EXPECT_TRUE(IsMapped("heavy.onnx"));
    // Six matrices with ones on the diagonal beside the last column, which is zero.
    const auto response =
        model->Infer(Request("x", Floats(std::vector<float>(512, 3), {1, 512})), nullptr);
    ASSERT_TRUE(response.ok()) << response.status();
    std::vector<float> expected(512, 3);
    expected.back() = 0;
    EXPECT_EQ(FloatsOf(response->outputs[0].tensor), expected);
  }
  EXPECT_FALSE(IsMapped("heavy.onnx"));
}

/// ONNX Runtime's transpose optimizer gives the constant of a Mul another order under its name: it
/// must not be handed in from the file.
TEST(OnnxModels, KeepConstantsThatAnOptimizerHasChanged) {
  const auto engine = MustLoad(OnnxPlugin());
  const auto model = MustLoadModel(*engine, "transposed", Model("transposed"));
  const auto response =
      model->Infer(Request("x", Floats(std::vector<float>(16 * 16 * 16, 1), {1, 16, 16, 16}), "v",
                           Floats(std::vector<float>(512, 1), {1, 512})),
                   nullptr);
  ASSERT_TRUE(response.ok()) << response.status();
  const std::vector<float> y = FloatsOf(response->outputs[0].tensor);
  // y[h, w, c] is constant[c, h, w], which is its place in the file.
  for (std::size_t h = 0; h < 16; ++h) {
    for (std::size_t w = 0; w < 16; ++w) {
      for (std::size_t c = 0; c < 16; ++c) {
        ASSERT_EQ(y[(h * 16 + w) * 16 + c], static_cast<float>((c * 16 + h) * 16 + w));
      }
    }
  }
}

TEST(OnnxModels, OfScikitLearnServeTheirTensors) {
  const auto engine = MustLoad(OnnxPlugin());
  const auto model = MustLoadModel(*engine, "m", Model("classifier"));
  ASSERT_EQ(model->schema().outputs.size(), 1U);
  EXPECT_EQ(model->schema().outputs[0].name, "label");
  const auto response = model->Infer(Request("x", Floats({3, -3}, {2, 1})), nullptr);
  ASSERT_TRUE(response.ok()) << response.status();
  ASSERT_EQ(response->outputs.size(), 1U);
  const auto labels = response->outputs[0].tensor.elements<std::int64_t>();
  EXPECT_THAT((std::vector<std::int64_t>{labels.begin(), labels.end()}),
              testing::ElementsAre(1, 0));
}

TEST(OnnxModels, HaveNoOptions) {
  const auto engine = MustLoad(OnnxPlugin());
  const auto load = [&](const char* options) {
    const engine::ModelSource source{
        .model_id = "m", .path = Model("identity_float32"), .format = "onnx", .options = options};
    return engine->Load(source).status();
  };
  EXPECT_TRUE(load("").ok()) << load("");
  EXPECT_TRUE(load("{}").ok()) << load("{}");
  const Status refused = load(R"({"threads":2,"depth":1})");
  EXPECT_EQ(refused.reason(), Reason::kInvalidField);
  EXPECT_EQ(refused.field(), "options");
  EXPECT_THAT(std::string(refused.message()), HasSubstr("option \"threads\" is not known"));
  EXPECT_FALSE(load("[]").ok());
}

TEST(OnnxModels, MayKeepTheirWeightsInAnotherFile) {
  const auto engine = MustLoad(OnnxPlugin());
  const auto model = MustLoadModel(*engine, "external", Models() / "external" / "model.onnx");
  const auto response = model->Infer(Request("x", Floats({1, 1, 1, 1}, {1, 4})), nullptr);
  ASSERT_TRUE(response.ok()) << response.status();
  EXPECT_EQ(response->outputs[0].tensor.shape(), tensor::Shape({1, 1024}));
  EXPECT_EQ(FloatsOf(response->outputs[0].tensor)[1023], 2);
  const std::uint64_t weights = 4 * 1024 * sizeof(float);
  EXPECT_GT(model->memory().weight_bytes, weights);
  EXPECT_LT(model->memory().weight_bytes, weights + 1000);
}

TEST(OnnxModels, OfOneDigestShareTheirWeights) {
  const auto engine = MustLoad(OnnxPlugin());
  const auto path = Models() / "external" / "model.onnx";
  auto first = MustLoadModel(*engine, "first", path, "sha256:1");
  const std::uint64_t one = engine->memory().weight_bytes;
  EXPECT_EQ(one, first->memory().weight_bytes);
  auto second = MustLoadModel(*engine, "second", path, "sha256:1");
  EXPECT_EQ(engine->memory().weight_bytes, one) << "shared";
  auto third = MustLoadModel(*engine, "third", path, "sha256:2");
  EXPECT_EQ(engine->memory().weight_bytes, 2 * one);
  auto fourth = MustLoadModel(*engine, "fourth", path);
  EXPECT_EQ(engine->memory().weight_bytes, 3 * one) << "without a digest nothing is known equal";
  first.reset();
  EXPECT_TRUE(second->Infer(Request("x", Floats({1, 1, 1, 1}, {1, 4})), nullptr).ok());
  second.reset();
  third.reset();
  fourth.reset();
  EXPECT_EQ(engine->memory().weight_bytes, 0u);
}

TEST(OnnxModels, LoadConcurrentlyAndStillShare) {
  const auto engine = MustLoad(OnnxPlugin());
  std::vector<std::unique_ptr<engine::LoadedModel>> models(8);
  std::vector<std::thread> threads;
  for (auto& model : models) {
    threads.emplace_back([&engine, &model] {
      model = MustLoadModel(*engine, "m", Models() / "external" / "model.onnx", "sha256:1");
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(engine->memory().weight_bytes, models[0]->memory().weight_bytes);
}

TEST(OnnxPlugin, ComesBackAfterItIsUnmapped) {
  for (int round = 0; round < 3; ++round) {
    const auto engine = MustLoad(OnnxPlugin());
    const auto model = MustLoadModel(*engine, "null", Models() / "null.onnx");
    ASSERT_TRUE(model->Infer(Request("x", Floats({1})), nullptr).ok());
  }
  EXPECT_FALSE(IsMapped("libmlos_onnx.so"));
}

}  // namespace
}  // namespace mlos::plugin
