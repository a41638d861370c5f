// SPDX-License-Identifier: MIT
#include "package/onnx/weight_uses.h"

#include <gmock/gmock.h>

#include <string>
#include <string_view>
#include <vector>

#include "package/onnx/model.h"
#include "package/onnx/test_model.h"

namespace mlos::package::onnx {
namespace {

using test::ExternalTensor;
using test::IdentityGraph;
using test::kFloat32;
using test::ModelOf;
using test::Proto;
using test::RawTensor;
using test::TensorValue;
using ::testing::ElementsAre;
using ::testing::IsEmpty;

const std::string kRaw(4096, '\x2a');

Proto Node(std::string_view op_type, const std::vector<std::string_view>& inputs,
           std::string_view output) {
  Proto node;
  for (const std::string_view input : inputs) node.Bytes(1, input);
  return node.Bytes(2, output).Bytes(4, op_type);
}

Proto Matrix(std::string_view name) { return RawTensor(name, kFloat32, {32, 32}, kRaw); }

std::vector<Weight> WeightsOf(const Proto& graph) {
  auto model = ParseModel(ModelOf(graph).bytes());
  EXPECT_TRUE(model.ok()) << model.status().message();
  return model.ok() ? std::move(model->weights) : std::vector<Weight>();
}

TEST(WeightUses, AMatrixOfAMatMulIsAWeightAtItsPlace) {
  const Proto graph =
      IdentityGraph().Message(1, Node("MatMul", {"x", "w"}, "z")).Message(5, Matrix("w"));
  const std::vector<Weight> weights = WeightsOf(graph);
  ASSERT_EQ(weights.size(), 1u);
  EXPECT_EQ(weights[0].name, "w");
  EXPECT_EQ(weights[0].data_type, kFloat32);
  EXPECT_THAT(weights[0].dims, ElementsAre(32, 32));
  EXPECT_EQ(weights[0].location, "");
  ASSERT_EQ(weights[0].data.size_bytes, kRaw.size());
  EXPECT_EQ(ModelOf(graph).bytes().substr(weights[0].data.offset_bytes, kRaw.size()), kRaw);
}

TEST(WeightUses, ItMayStandBeforeItsUse) {
  const Proto graph = Proto()
                          .Message(5, Matrix("w"))
                          .Message(11, TensorValue("x", kFloat32, {{32, ""}, {32, ""}}))
                          .Message(12, TensorValue("y", kFloat32, {{32, ""}, {32, ""}}))
                          .Message(1, Node("Gemm", {"x", "w"}, "y"));
  EXPECT_EQ(WeightsOf(graph).size(), 1u);
}

TEST(WeightUses, ExternalWeightsHaveThePlaceThatTheFileGives) {
  const Proto graph =
      IdentityGraph()
          .Message(1, Node("Gather", {"w", "i"}, "z"))
          .Message(5,
                   ExternalTensor("w", 2048,
                                  {{"location", "./w.bin"}, {"offset", "64"}, {"length", "8192"}}));
  const std::vector<Weight> weights = WeightsOf(graph);
  ASSERT_EQ(weights.size(), 1u);
  EXPECT_EQ(weights[0].location, "w.bin");
  EXPECT_EQ(weights[0].data.offset_bytes, 64u);
  EXPECT_EQ(weights[0].data.size_bytes, 8192u);
}

TEST(WeightUses, WhatIsUsedInAnotherWayTooIsNone) {
  for (const Proto& other :
       {Node("Add", {"x", "w"}, "q"), Node("MatMul", {"w", "x"}, "q"), Node("Identity", {"x"}, "w"),
        Node("MatMul", {"x", "w"}, "q").Bytes(7, "an.other.domain")}) {
    const Proto graph = IdentityGraph()
                            .Message(1, Node("MatMul", {"x", "w"}, "z"))
                            .Message(1, other)
                            .Message(5, Matrix("w"));
    EXPECT_THAT(WeightsOf(graph), IsEmpty());
  }
}

TEST(WeightUses, WhatTheGraphTakesOrGivesIsNone) {
  for (const int field : {11, 12}) {
    const Proto graph = IdentityGraph()
                            .Message(field, TensorValue("w", kFloat32, {{32, ""}, {32, ""}}))
                            .Message(1, Node("MatMul", {"x", "w"}, "z"))
                            .Message(5, Matrix("w"));
    EXPECT_THAT(WeightsOf(graph), IsEmpty());
  }
}

TEST(WeightUses, ANameThatAnotherGraphGivesToo) {
  const Proto nested = Proto().Message(5, Matrix("w"));
  const Proto graph =
      IdentityGraph()
          .Message(1, Node("MatMul", {"x", "w"}, "z"))
          .Message(1, Node("Loop", {"n"}, "q").Message(5, Proto().Message(6, nested)))
          .Message(5, Matrix("w"));
  EXPECT_THAT(WeightsOf(graph), IsEmpty());
}

TEST(WeightUses, TwoOfOneNameAreNone) {
  const Proto graph = IdentityGraph()
                          .Message(1, Node("MatMul", {"x", "w"}, "z"))
                          .Message(5, Matrix("w"))
                          .Message(5, Matrix("w"));
  EXPECT_THAT(WeightsOf(graph), IsEmpty());
}

TEST(WeightUses, SmallOnesAndNumbersWrittenOneByOneAreNone) {
  const Proto graph = IdentityGraph()
                          .Message(1, Node("MatMul", {"x", "w"}, "z"))
                          .Message(1, Node("MatMul", {"x", "v"}, "u"))
                          .Message(5, RawTensor("w", kFloat32, {1}, "1234"))
                          .Message(5, Proto()
                                          .Varint(1, 2048)
                                          .Varint(2, kFloat32)
                                          .Bytes(8, "v")
                                          .Bytes(4, std::string(8192, '\0')));
  EXPECT_THAT(WeightsOf(graph), IsEmpty());
}

}  // namespace
}  // namespace mlos::package::onnx
