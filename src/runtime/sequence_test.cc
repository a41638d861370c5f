// SPDX-License-Identifier: MIT
// Models that carry state through their graph, from their registration to the end of a sequence.

#include <functional>
#include <future>
#include <map>
#include <thread>

#include "runtime/runtime_fixture.h"

namespace mlos::runtime {
namespace {

using ::testing::HasSubstr;
using Pairs = std::map<std::string, std::string>;

/// Serves y = hn = x + h, for vectors: tests/plugin/make_models.py.
class SequenceTest : public RuntimeTest {
 protected:
  void SetUp() override {
    RuntimeTest::SetUp();
    options_.plugin_dirs = {std::filesystem::path(MLOS_TEST_ONNX).parent_path()};
    Start();
  }
  Status RegisterCarry(const Pairs& state_pairs = {}) {
    catalog::RegisterModelRequest request;
    request.model_id = "carry";
    request.path = MLOS_TEST_MODELS "/carry.onnx";
    request.settings.state_pairs = state_pairs;
    return runtime_->RegisterModel(request).status();
  }
  static engine::InferenceRequest Step(float x, bool start, bool end) {
    engine::InferenceRequest request;
    request.inputs = Input(x);
    request.sequence = engine::MakeSequenceStep("a", start, end).value();
    return request;
  }
  /// The first output of a request of sequence "a", or the field at fault.
  std::string Tell(float x, bool start = false, bool end = false) {
    auto model = runtime_->Acquire("carry");
    if (!model.ok()) return std::string(ToString(model.status().reason()));
    std::promise<std::string> told;
    runtime_->Infer(*model, Step(x, start, end), [&](Result<engine::InferenceResponse> outcome) {
      if (!outcome.ok()) return told.set_value(std::string(outcome.status().field()));
      const float y = outcome->outputs[0].tensor.elements<float>()[0];
      told.set_value(outcome->outputs[0].name + "=" + std::to_string(static_cast<int>(y)));
    });
    return told.get_future().get();
  }
};

TEST_F(SequenceTest, AGraphThatCarriesStateIsKnownByItsNames) {
  ASSERT_TRUE(RegisterCarry().ok());
  EXPECT_EQ(runtime_->GetModel("carry")->settings.state_pairs, (Pairs{{"h", "hn"}}));
  EXPECT_EQ(Tell(1, true), "y=1");
  EXPECT_EQ(Tell(2), "y=3");
  EXPECT_THAT(runtime_->PrometheusText(), HasSubstr("mlos_sequences 1\n"));
  EXPECT_EQ(Tell(3, false, true), "y=6");
  EXPECT_THAT(runtime_->PrometheusText(), HasSubstr("mlos_sequences 0\n"));
}

TEST_F(SequenceTest, WhatWasDeclaredHoldsAfterARestart) {
  ASSERT_TRUE(RegisterCarry({{"h", "y"}}).ok());
  for (int i = 0; i < 2; ++i) {
    EXPECT_EQ(runtime_->GetModel("carry")->settings.state_pairs, (Pairs{{"h", "y"}}));
    EXPECT_EQ(Tell(1, true), "hn=1");
    EXPECT_EQ(Tell(1), "hn=2");
    Start();
  }
}

TEST_F(SequenceTest, ADeclarationThatTheGraphContradictsIsRefused) {
  for (const Pairs& pairs : {Pairs{{"h", "none"}}, Pairs{{"none", "hn"}}, Pairs{{"hn", "h"}}}) {
    EXPECT_EQ(RegisterCarry(pairs).field(), "state_pairs");
  }
  EXPECT_FALSE(runtime_->GetModel("carry").ok());
}

TEST_F(SequenceTest, SequencesEndWithTheirModel) {
  ASSERT_TRUE(RegisterCarry().ok());
  const std::pair<const char*, std::function<void()>> ends[] = {
      {"unloaded",
       [&] {
         ASSERT_TRUE(runtime_->UnloadModel("carry").ok());
         ASSERT_TRUE(runtime_->LoadModel("carry").ok());
       }},
      {"removed",
       [&] {
         ASSERT_TRUE(runtime_->RemoveModel("carry").ok());
         ASSERT_TRUE(RegisterCarry().ok());
       }},
      {"swapped", [&] { ASSERT_TRUE(RegisterCarry({{"h", "hn"}}).ok()); }},
  };
  for (const auto& [what, end] : ends) {
    EXPECT_EQ(Tell(1, true), "y=1") << what;
    end();
    EXPECT_EQ(Tell(1), "sequence_start") << what;
    // The last request may hold the model for a moment after its answer.
    while (runtime_->budget().used() != 0) std::this_thread::yield();
    EXPECT_THAT(runtime_->PrometheusText(), HasSubstr("mlos_sequences 0\n")) << what;
  }
}

TEST_F(SequenceTest, TheSameRegistrationAgainEndsNothing) {
  ASSERT_TRUE(RegisterCarry().ok());
  EXPECT_EQ(Tell(1, true), "y=1");
  ASSERT_TRUE(RegisterCarry().ok());
  EXPECT_EQ(Tell(1), "y=2");
}

TEST_F(SequenceTest, OnlyStateMayBeMissingAndOnlyInASequence) {
  ASSERT_TRUE(RegisterCarry().ok());
  const auto model = runtime_->Acquire("carry").value();
  engine::InferenceRequest alone;
  alone.inputs = Input(1);
  EXPECT_EQ(CheckRequest(*model, alone).field(), "h");
  EXPECT_EQ(FitRequest(*model, alone).field(), "h");
  engine::InferenceRequest step = Step(1, true, false);
  EXPECT_TRUE(CheckRequest(*model, step).ok());
  EXPECT_TRUE(FitRequest(*model, step).ok());
  step.inputs.clear();
  EXPECT_EQ(CheckRequest(*model, step).field(), "x");
  EXPECT_EQ(FitRequest(*model, step).field(), "x");
}

TEST_F(SequenceTest, AModelWithoutStateHasNoSequences) {
  catalog::RegisterModelRequest request;
  request.model_id = "add";
  request.path = MLOS_TEST_MODELS "/add.onnx";
  ASSERT_TRUE(runtime_->RegisterModel(request).ok());
  EXPECT_TRUE(runtime_->GetModel("add")->settings.state_pairs.empty());
  engine::InferenceRequest step = Step(1, true, false);
  for (const Status& status : {CheckRequest(*runtime_->Acquire("add").value(), step),
                               FitRequest(*runtime_->Acquire("add").value(), step)}) {
    EXPECT_EQ(status.reason(), Reason::kInvalidField);
    EXPECT_EQ(status.field(), "sequence_id");
  }
}

}  // namespace
}  // namespace mlos::runtime
