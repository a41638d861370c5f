// SPDX-License-Identifier: MIT
#include "package/onnx/work.h"

#include <gtest/gtest.h>

#include <initializer_list>

#include "package/onnx/model.h"
#include "package/onnx/test_model.h"

namespace mlos::package::onnx {
namespace {

using test::ModelOf;
using test::Proto;
using test::RawTensor;
using test::TensorValue;
using Names = std::initializer_list<std::string_view>;

Proto Node(std::string_view op_type, Names inputs, Names outputs, std::string_view domain = "") {
  Proto node;
  for (const std::string_view name : inputs) node.Bytes(1, name);
  for (const std::string_view name : outputs) node.Bytes(2, name);
  node.Bytes(4, op_type);
  if (!domain.empty()) node.Bytes(7, domain);
  return node;
}

Proto Nodes(std::initializer_list<Proto> nodes) {
  Proto graph;
  for (const Proto& node : nodes) graph.Message(1, node);
  return graph;
}

/// A graph with an input `x`, an input `n`, and an initializer `c`, behind its nodes as exporters
/// write it.
Proto Graph(std::initializer_list<Proto> nodes) {
  return Nodes(nodes)
      .Message(5, RawTensor("c", test::kInt64, {1}, std::string(8, '\1')))
      .Message(11, TensorValue("x", test::kFloat32, {{-1, "batch"}, {3, ""}}))
      .Message(11, TensorValue("n", test::kInt64, {{1, ""}}))
      .Message(12, TensorValue("y", test::kFloat32, {}));
}

Proto WithGraph(Proto node, const Proto& subgraph) {
  return node.Message(5, Proto().Message(6, subgraph));
}

/// A function `local.F(a) -> b` of `nodes`, and what it takes to call it.
Proto WithFunction(Proto model, std::initializer_list<Proto> nodes,
                   std::string_view domain = "local") {
  Proto function = Proto().Bytes(1, "F").Bytes(4, "a").Bytes(5, "b").Bytes(10, domain);
  for (const Proto& node : nodes) function.Message(7, node);
  return model.Message(25, function);
}

struct Case {
  const char* what;
  Proto model;
};

void ExpectTimeGivenByShapes(const std::vector<Case>& cases, bool expected) {
  for (const Case& c : cases) {
    const auto parsed = ParseModel(c.model.bytes());
    ASSERT_TRUE(parsed.ok()) << c.what << ": " << parsed.status();
    EXPECT_EQ(parsed->time_given_by_shapes, expected) << c.what;
  }
}

TEST(WorkOfModel, IsGivenByShapesIfNoValueDecidesAboutIt) {
  ExpectTimeGivenByShapes(
      {
          {"identity", ModelOf(test::IdentityGraph())},
          {"layers",
           ModelOf(Graph({Node("MatMul", {"x", "w"}, {"h"}), Node("Relu", {"h"}, {"y"})}))},
          {"a constant size", ModelOf(Graph({Node("Expand", {"x", "c"}, {"y"})}))},
          {"a Constant's size",
           ModelOf(Graph({Node("Constant", {}, {"k"}), Node("ConstantOfShape", {"k"}, {"y"})}))},
          {"a size computed from a shape",
           ModelOf(Graph({Node("Shape", {"x"}, {"s"}), Node("Gather", {"s", "c"}, {"d"}),
                          Node("Mul", {"d", "c"}, {"m"}), Node("Range", {"c", "m", "c"}, {"r"}),
                          Node("Reshape", {"x", "m"}, {"y"})}))},
          {"the shape of what a value was computed from",
           ModelOf(Graph({Node("Add", {"x", "n"}, {"a"}), Node("Size", {"a"}, {"s"}),
                          Node("Tile", {"x", "s"}, {"y"})}))},
          {"the size of a filled tensor, which is a shape as well",
           ModelOf(Graph({Node("ConstantOfShape", {"c"}, {"f"}),
                          Node("Slice", {"x", "f", "c", "", "c"}, {"y"})}))},
          {"an input that is left out",
           ModelOf(Graph({Node("LSTM", {"x", "w", "r", "", ""}, {"", "y"})}))},
          {"random values of a given shape",
           ModelOf(Graph({Node("RandomNormalLike", {"x"}, {"y"})}))},
          {"a branch that a shape picks",
           ModelOf(
               Graph({Node("Shape", {"x"}, {"s"}), Node("Equal", {"s", "c"}, {"e"}),
                      WithGraph(Node("If", {"e"}, {"y"}), Nodes({Node("Relu", {"x"}, {"z"})}))}))},
          {"operators of ONNX Runtime and of ONNX-ML",
           ModelOf(Graph({Node("FusedMatMul", {"x", "w"}, {"h"}, "com.microsoft"),
                          Node("Scaler", {"h"}, {"y"}, "ai.onnx.ml"),
                          Node("Add", {"x", "x"}, {"z"}, "ai.onnx")}))},
          {"a function of the model's own",
           WithFunction(ModelOf(Graph({Node("F", {"x"}, {"y"}, "local")})),
                        {Node("Neg", {"a"}, {"b"})})},
          {"nodes in another order than they run in",
           ModelOf(Graph({Node("Expand", {"x", "s"}, {"y"}), Node("Shape", {"x"}, {"s"})}))},
      },
      true);
}

TEST(WorkOfModel, IsNotGivenByShapesIfAValueMayDecideAboutIt) {
  const Proto loop = WithGraph(Node("Loop", {"n", ""}, {"y"}), Nodes({}));
  ExpectTimeGivenByShapes(
      {
          {"Loop", ModelOf(Graph({loop}))},
          {"Loop of a constant count",
           ModelOf(Graph({WithGraph(Node("Loop", {"c"}, {"y"}), Nodes({}))}))},
          {"Scan", ModelOf(Graph({Node("Scan", {"x"}, {"y"})}))},
          {"a Loop in a branch",
           ModelOf(Graph({WithGraph(Node("If", {"c"}, {"y"}), Nodes({loop}))}))},
          {"a Loop in a function",
           WithFunction(ModelOf(Graph({Node("F", {"x"}, {"y"}, "local")})), {loop})},
          {"a branch that a value picks",
           ModelOf(
               Graph({WithGraph(Node("If", {"n"}, {"y"}), Nodes({Node("Relu", {"x"}, {"z"})}))}))},
          {"a size behind a branch",
           ModelOf(Graph({WithGraph(Node("If", {"c"}, {"k"}), Nodes({Node("Relu", {"x"}, {"z"})})),
                          Node("Expand", {"x", "k"}, {"y"})}))},
          {"the caller's size", ModelOf(Graph({Node("Expand", {"x", "n"}, {"y"})}))},
          {"a size computed from a value",
           ModelOf(Graph({Node("Add", {"n", "c"}, {"m"}), Node("Range", {"c", "m", "c"}, {"y"})}))},
          {"a size from a value, in another order than nodes run in",
           ModelOf(Graph({Node("Range", {"c", "m", "c"}, {"y"}), Node("Add", {"n", "c"}, {"m"})}))},
          {"dims that a value says", ModelOf(Graph({Node("Reshape", {"x", "n"}, {"y"})}))},
          {"a random size",
           ModelOf(Graph({Node("RandomUniform", {}, {"u"}), Node("Expand", {"x", "u"}, {"y"})}))},
          {"as many results as values fit", ModelOf(Graph({Node("NonZero", {"x"}, {"y"})}))},
          {"sequences", ModelOf(Graph({Node("SequenceMap", {"x"}, {"y"})}))},
          {"an operator that nobody knows", ModelOf(Graph({Node("Mystery", {"x"}, {"y"})}))},
          {"a known name of another domain",
           ModelOf(Graph({Node("Relu", {"x"}, {"y"}, "acme.ops")}))},
          {"a name that nothing defines",
           ModelOf(Graph({Node("Expand", {"x", "nothing"}, {"y"})}))},
          {"a size that a function is given",
           WithFunction(ModelOf(Graph({Node("F", {"x"}, {"y"}, "local")})),
                        {Node("ConstantOfShape", {"a"}, {"b"})})},
          {"a size that a function computes",
           WithFunction(ModelOf(Graph(
                            {Node("F", {"x"}, {"k"}, "local"), Node("Expand", {"x", "k"}, {"y"})})),
                        {Node("Neg", {"a"}, {"b"})})},
          {"a function under the name of a domain that is defined",
           WithFunction(ModelOf(Graph({Node("F", {"x"}, {"y"})})), {Node("Neg", {"a"}, {"b"})},
                        "ai.onnx")},
          {"a name that two scopes use, once for a value",
           ModelOf(Graph({WithGraph(Node("If", {"c"}, {"z"}), Nodes({Node("Constant", {}, {"k"})})),
                          Node("Neg", {"n"}, {"k"}), Node("Expand", {"x", "k"}, {"y"})}))},
      },
      false);
}

TEST(WorkOfModel, GivesUpOnMoreNamesThanItKeeps) {
  const auto work = [](int nodes) {
    WorkOfModel model;
    const std::string filler(4000, 'n');
    for (int i = 0; i < nodes; ++i) {
      model.AddNode({.op_type = "Relu", .inputs = {"x"}, .outputs = {filler + std::to_string(i)}});
    }
    return model;
  };
  EXPECT_TRUE(work(1'000).TimeGivenByShapes());
  EXPECT_FALSE(work(20'000).TimeGivenByShapes());
}

}  // namespace
}  // namespace mlos::package::onnx
