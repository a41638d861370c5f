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
    engine::InferenceRequest request = RequestFor(x);
    request.sequence = engine::MakeSequenceStep("a", start, end).value();
    return request;
  }
  /// The first output of a request of sequence "a", or the field at fault.
  std::string Tell(float x, bool start = false, bool end = false) {
    const Result<Ticket> ticket = Admit("carry");
    if (!ticket.ok()) return std::string(ToString(ticket.status().reason()));
    const Outcome outcome = Run(*ticket, Step(x, start, end)).get();
    if (!outcome.ok()) return std::string(outcome.status().field());
    const float y = outcome->outputs[0].tensor.elements<float>()[0];
    return outcome->outputs[0].name + "=" + std::to_string(static_cast<int>(y));
  }
  /// What the refusal of a request names; empty if it is run.
  std::string FieldAtFault(const char* model_id, engine::InferenceRequest request, Fit fit) {
    return std::string(
        Run(Admit(model_id).value(), std::move(request), fit).get().status().field());
  }
};

TEST_F(SequenceTest, ItsStateCountsForTheCallerThatStartedIt) {
  ASSERT_TRUE(RegisterCarry().ok());
  const resource::Accounts::Lease lease = runtime_->accounts().Open("somebody");
  Result<Ticket> ticket = runtime_->Admit({.account = &lease.budget()}, "carry");
  ASSERT_TRUE(ticket.ok());
  ASSERT_TRUE(Run(*ticket, Step(1, true, false)).get().ok());
  EXPECT_GT(lease.budget().used(), 0U);
  EXPECT_EQ(lease.budget().used(), runtime_->accounts().whole().used());
  EXPECT_EQ(Tell(2, false, true), "y=3") << "goes on for another caller";
  while (lease.budget().used() != 0) std::this_thread::yield();
}

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
    while (runtime_->accounts().whole().used() != 0) std::this_thread::yield();
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
  for (const Fit fit : {Fit::kExact, Fit::kFitted}) {
    engine::InferenceRequest without_x = Step(1, false, false);
    without_x.inputs.clear();
    EXPECT_EQ(FieldAtFault("carry", RequestFor(1), fit), "h");
    EXPECT_EQ(FieldAtFault("carry", Step(1, true, false), fit), "");
    EXPECT_EQ(FieldAtFault("carry", std::move(without_x), fit), "x");
  }
}

TEST_F(SequenceTest, AModelWithoutStateHasNoSequences) {
  catalog::RegisterModelRequest request;
  request.model_id = "add";
  request.path = MLOS_TEST_MODELS "/add.onnx";
  ASSERT_TRUE(runtime_->RegisterModel(request).ok());
  EXPECT_TRUE(runtime_->GetModel("add")->settings.state_pairs.empty());
  for (const Fit fit : {Fit::kExact, Fit::kFitted}) {
    EXPECT_EQ(FieldAtFault("add", Step(1, true, false), fit), "sequence_id");
  }
}

}  // namespace
}  // namespace mlos::runtime
