// SPDX-License-Identifier: MIT
#include "package/onnx/value_flow.h"

#include <gtest/gtest.h>

namespace mlos::package::onnx {
namespace {

/// Whether `x` may change in a graph of these nodes.
bool MayChange(const std::vector<NodeNames>& nodes) {
  ValueFlow flow;
  for (const NodeNames& node : nodes) flow.AddNode(node);
  return flow.MayChange({"x"})[0];
}

TEST(ValueFlow, NumbersThatDecideNothingMayChange) {
  EXPECT_TRUE(MayChange({{"", "MatMul", {"x", "w"}, {"y"}}}));
  EXPECT_TRUE(MayChange({{"ai.onnx", "Conv", {"x", "w", "b"}, {"y"}}}));
  EXPECT_TRUE(MayChange({{"", "Identity", {"x"}, {"y"}}}));
  EXPECT_TRUE(MayChange({{"", "Add", {"c", "x"}, {"a"}}, {"", "ReduceMean", {"a"}, {"y"}}}));
  EXPECT_TRUE(MayChange({})) << "nobody reads it";
}

TEST(ValueFlow, WhatSteersMayNot) {
  EXPECT_FALSE(MayChange({{"", "Gather", {"data", "x"}, {"y"}}}));
  EXPECT_FALSE(MayChange({{"", "TopK", {"x", "k"}, {"y", "i"}}}));
  EXPECT_FALSE(MayChange({{"", "Reshape", {"data", "x"}, {"y"}}}));
  EXPECT_FALSE(MayChange({{"", "ReduceSum", {"data", "x"}, {"y"}}}));
  EXPECT_FALSE(MayChange({{"", "NewOperator", {"x"}, {"y"}}}));
  EXPECT_FALSE(MayChange({{"com.microsoft", "MatMul", {"x", "w"}, {"y"}}}));
  EXPECT_FALSE(MayChange({{"local", "F", {"x"}, {"y"}}}));
}

TEST(ValueFlow, WhatIsHandedOnIsFollowed) {
  const NodeNames sort{"", "TopK", {"v", "k"}, {"y", "i"}};
  EXPECT_FALSE(MayChange({{"", "Identity", {"x"}, {"u"}}, {"", "Flatten", {"u"}, {"v"}}, sort}));
  EXPECT_FALSE(MayChange({{"", "Add", {"x", "zero"}, {"v"}}, sort}));
  EXPECT_FALSE(MayChange({{"", "Split", {"x"}, {"u", "v"}}, sort}));
  EXPECT_TRUE(MayChange({{"", "MatMul", {"x", "w"}, {"v"}}, sort}))
      << "the product lies in other memory";
}

TEST(ValueFlow, NodesMayStandInAnyOrder) {
  EXPECT_FALSE(MayChange({{"", "TopK", {"v", "k"}, {"y", "i"}}, {"", "Identity", {"x"}, {"v"}}}));
  std::vector<NodeNames> backwards;
  for (int i = 20; i > 0; --i) {
    backwards.push_back(
        {"", "Identity", {i == 1 ? "x" : std::to_string(i - 1)}, {std::to_string(i)}});
  }
  EXPECT_FALSE(MayChange(backwards)) << "it was not followed to the end";
}

TEST(ValueFlow, NothingMayChangeBesideGraphsOfNodes) {
  EXPECT_FALSE(MayChange({{"", "If", {"c"}, {"y"}}, {"", "MatMul", {"x", "w"}, {"z"}}}));
}

TEST(ValueFlow, InputsAreFollowedEachForItself) {
  ValueFlow flow;
  flow.AddNode({"", "Gather", {"a", "b"}, {"y"}});
  flow.AddNode({"", "MatMul", {"c", "w"}, {"z"}});
  EXPECT_EQ(flow.MayChange({"a", "b", "c"}), (std::vector<bool>{false, false, true}));
}

TEST(ValueFlow, InputsBeyondThoseThatAreFollowedMayNot) {
  ValueFlow flow;
  std::vector<std::string> inputs;
  for (int i = 0; i < 70; ++i) {
    inputs.push_back("x" + std::to_string(i));
    flow.AddNode({"", "MatMul", {inputs.back(), "w"}, {"y" + std::to_string(i)}});
  }
  const std::vector<bool> may_change = flow.MayChange(inputs);
  EXPECT_TRUE(may_change[63]);
  EXPECT_FALSE(may_change[64]);
}

}  // namespace
}  // namespace mlos::package::onnx
