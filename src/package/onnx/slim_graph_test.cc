// SPDX-License-Identifier: MIT
#include "package/onnx/slim_graph.h"

#include <gtest/gtest.h>

#include <string>

#include "package/onnx/model.h"
#include "package/onnx/test_model.h"

namespace mlos::package::onnx {
namespace {

using test::kFloat32;
using test::Proto;
using test::RawTensor;
using test::TensorValue;

TEST(SlimGraph, HasReferencesInPlaceOfWeightsAndAllElseAsItWas) {
  const std::string raw(4096, '\x2a');
  const Proto graph =
      Proto()
          .Message(1, Proto().Bytes(1, "x").Bytes(1, "w").Bytes(2, "z").Bytes(4, "MatMul"))
          .Message(1, Proto().Bytes(1, "z").Bytes(1, "b").Bytes(2, "y").Bytes(4, "Add"))
          .Message(5, RawTensor("w", kFloat32, {32, 32}, raw))
          .Message(5, RawTensor("b", kFloat32, {1}, "1234"))
          .Message(11, TensorValue("x", kFloat32, {{-1, "batch"}, {32, ""}}))
          .Message(12, TensorValue("y", kFloat32, {{-1, "batch"}, {32, ""}}));
  const std::string file =
      Proto().Varint(1, 8).Message(7, graph).Message(8, Proto().Varint(2, 17)).bytes();
  const auto model = ParseModel(file);
  ASSERT_TRUE(model.ok()) << model.status().message();

  const std::string slim = WithoutWeights(*model, file, "m.onnx");

  EXPECT_LT(slim.size(), file.size() - 3900);
  const auto again = ParseModel(slim);
  ASSERT_TRUE(again.ok()) << again.status().message();
  EXPECT_EQ(again->inputs, model->inputs);
  EXPECT_EQ(again->outputs, model->outputs);
  EXPECT_EQ(again->opset_imports, model->opset_imports);
  EXPECT_EQ(again->tensor_bytes, model->tensor_bytes);
  ASSERT_EQ(again->external_data.size(), 1u);
  const ExternalData& reference = again->external_data[0];
  EXPECT_EQ(reference.tensor, "w");
  EXPECT_EQ(reference.location, "m.onnx");
  EXPECT_EQ(reference.length_bytes, raw.size());
  EXPECT_EQ(file.substr(reference.offset_bytes, raw.size()), raw);
}

}  // namespace
}  // namespace mlos::package::onnx
