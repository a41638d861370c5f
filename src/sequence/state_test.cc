// SPDX-License-Identifier: MIT
#include "sequence/state.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <initializer_list>
#include <utility>

namespace mlos::sequence {
namespace {

using tensor::Dim;
using tensor::DType;
using tensor::NamedTensor;
using tensor::Tensor;
using tensor::TensorSpec;

constexpr std::int64_t kAny = tensor::kDynamicSize;

NamedTensor Filled(const std::string& name, tensor::Shape shape, float value) {
  Tensor tensor = Tensor::Allocate(DType::kFloat32, std::move(shape)).value();
  std::ranges::fill(tensor.elements<float>(), value);
  return {name, std::move(tensor)};
}

TensorSpec Spec(const std::string& name, std::vector<Dim> dims, bool required = true) {
  return {.name = name, .dtype = DType::kFloat32, .dims = std::move(dims), .required = required};
}

/// x and a state h, of any sizes; y and the next state.
engine::ModelSchema SchemaOf(std::vector<Dim> x, std::vector<Dim> h) {
  return {.inputs = {Spec("x", std::move(x)), Spec("h", std::move(h))},
          .outputs = {Spec("y", {{kAny, ""}}), Spec("hn", {{kAny, ""}, {kAny, ""}})}};
}

engine::InferenceRequest RequestOf(std::vector<std::string> outputs = {}) {
  engine::InferenceRequest request;
  request.inputs.push_back(Filled("x", {3, 5}, 1));
  request.requested_outputs = std::move(outputs);
  return request;
}

class StateTest : public testing::Test {
 protected:
  resource::ByteBudget budget_{1 << 10};
  const StatePairs pairs_ = {{"h", "hn"}};
};

TEST_F(StateTest, ZerosHaveTheSizesThatTheOtherInputsTell) {
  const struct {
    std::vector<Dim> x;
    std::vector<Dim> h;
    tensor::Shape shape;
  } cases[] = {
      {{{kAny, ""}, {kAny, ""}}, {{2, ""}, {4, ""}}, {2, 4}},
      {{{kAny, "n"}, {kAny, "t"}}, {{2, ""}, {kAny, "n"}}, {2, 3}},
      {{{kAny, "n"}, {kAny, "t"}}, {{kAny, "t"}, {kAny, "n"}}, {5, 3}},
      {{{kAny, ""}, {kAny, ""}}, {{2, ""}, {kAny, ""}, {4, ""}}, {2, 3, 4}},
      {{{kAny, "n"}, {kAny, "t"}}, {{kAny, ""}, {kAny, "t"}}, {3, 5}},
      {{{kAny, ""}, {kAny, ""}}, {}, {}},
  };
  for (const auto& c : cases) {
    const engine::ModelSchema schema = SchemaOf(c.x, c.h);
    State state(pairs_, schema, budget_);
    const engine::InferenceRequest asked = RequestOf();
    ASSERT_TRUE(state.Zero(asked.inputs).ok()) << tensor::ToString(c.shape);
    const engine::InferenceRequest request = state.Complete(asked).value();
    ASSERT_EQ(request.inputs.size(), 2U);
    EXPECT_EQ(request.inputs[1].name, "h");
    EXPECT_EQ(request.inputs[1].tensor.shape(), c.shape);
    for (const float value : request.inputs[1].tensor.elements<float>()) EXPECT_EQ(value, 0);
  }
}

TEST_F(StateTest, ASizeThatNothingTellsIsTheCallersToGive) {
  const std::vector<std::pair<std::vector<Dim>, std::vector<Dim>>> cases = {
      {{{3, ""}, {5, ""}}, {{kAny, ""}}},                // no batch anywhere
      {{{kAny, "n"}, {5, ""}}, {{kAny, "past"}}},        // of another name
      {{{kAny, ""}, {5, ""}}, {{kAny, ""}, {kAny, ""}}}  // which of the two?
  };
  for (const auto& [x, h] : cases) {
    const engine::ModelSchema schema = SchemaOf(x, h);
    State state(pairs_, schema, budget_);
    engine::InferenceRequest asked = RequestOf();
    const Status status = state.Zero(asked.inputs);
    ASSERT_FALSE(status.ok());
    EXPECT_EQ(status.reason(), Reason::kMissingInput);
    EXPECT_EQ(status.field(), "h");
    asked.inputs.push_back(Filled("h", {2, 2}, 7));
    EXPECT_TRUE(state.Zero(asked.inputs).ok());
    EXPECT_EQ(state.Complete(asked).value().inputs[1].tensor.elements<float>()[0], 7);
  }
  engine::ModelSchema unranked = SchemaOf({{kAny, ""}}, {});
  unranked.inputs[1].has_shape = false;
  EXPECT_EQ(State(pairs_, unranked, budget_).Zero(RequestOf().inputs).field(), "h");
}

TEST_F(StateTest, AnInputWithADefaultBeginsWithIt) {
  engine::ModelSchema schema = SchemaOf({{kAny, ""}, {kAny, ""}}, {{2, ""}});
  schema.inputs[1].required = false;
  State state(pairs_, schema, budget_);
  const engine::InferenceRequest asked = RequestOf();
  ASSERT_TRUE(state.Zero(asked.inputs).ok());
  EXPECT_EQ(state.Complete(asked).value().inputs.size(), 1U);
}

TEST_F(StateTest, StateOutputsComeBehindThoseThatAreWanted) {
  const engine::ModelSchema schema = SchemaOf({{kAny, ""}, {kAny, ""}}, {{2, ""}});
  const struct {
    std::vector<std::string> asked;
    std::vector<std::string> run;
    std::size_t wanted;
  } cases[] = {
      {{}, {"y", "hn"}, 1},
      {{"y"}, {"y", "hn"}, 1},
      {{"hn"}, {"hn"}, 1},
      {{"hn", "y"}, {"hn", "y"}, 2},
  };
  for (const auto& c : cases) {
    State state(pairs_, schema, budget_);
    const engine::InferenceRequest asked = RequestOf(c.asked);
    EXPECT_EQ(state.Complete(asked).value().requested_outputs, c.run);
    EXPECT_EQ(CountWanted(asked, pairs_, schema), c.wanted);
  }
}

TEST_F(StateTest, KeepsACopyOfWhatTheModelGave) {
  const engine::ModelSchema schema = SchemaOf({{kAny, ""}, {kAny, ""}}, {{kAny, ""}, {kAny, ""}});
  State state(pairs_, schema, budget_);
  const tensor::Shape shapes[] = {{2, 2}, {2, 2}, {3, 4}};
  for (const tensor::Shape& shape : shapes) {
    const auto value = static_cast<float>(shape[0] * 10);
    engine::InferenceResponse response;
    response.outputs.push_back(Filled("hn", shape, value));
    ASSERT_TRUE(state.Keep(response).ok());
    response = {};
    const engine::InferenceRequest asked = RequestOf();
    const engine::InferenceRequest request = state.Complete(asked).value();
    EXPECT_EQ(request.inputs[1].tensor.shape(), shape);
    EXPECT_EQ(request.inputs[1].tensor.elements<float>().back(), value);
    EXPECT_EQ(budget_.used(), request.inputs[1].tensor.size_bytes());
  }
}

TEST_F(StateTest, WhatItCannotKeepChangesNothing) {
  const engine::ModelSchema schema = SchemaOf({{kAny, ""}, {kAny, ""}}, {{kAny, ""}, {2, ""}});
  State state(pairs_, schema, budget_);
  engine::InferenceResponse good;
  good.outputs.push_back(Filled("hn", {2, 2}, 5));
  ASSERT_TRUE(state.Keep(good).ok());
  const std::pair<tensor::Shape, Reason> cases[] = {
      {{2, 3}, Reason::kShapeMismatch},
      {{2}, Reason::kShapeMismatch},
      {{500, 2}, Reason::kOverloaded},
  };
  for (const auto& [shape, reason] : cases) {
    engine::InferenceResponse bad;
    bad.outputs.push_back(Filled("hn", shape, 9));
    EXPECT_EQ(state.Keep(bad).reason(), reason) << tensor::ToString(shape);
  }
  EXPECT_EQ(state.Keep({}).reason(), Reason::kPluginFailed);
  const engine::InferenceRequest asked = RequestOf();
  EXPECT_EQ(state.Complete(asked).value().inputs[1].tensor.elements<float>()[3], 5);
}

TEST_F(StateTest, ZerosBeyondTheBudgetAreRefused) {
  const engine::ModelSchema schema = SchemaOf({{kAny, ""}, {kAny, ""}}, {{300, ""}});
  State state(pairs_, schema, budget_);
  EXPECT_EQ(state.Zero(RequestOf().inputs).reason(), Reason::kOverloaded);
  EXPECT_EQ(budget_.used(), 0U);
}

}  // namespace
}  // namespace mlos::sequence
