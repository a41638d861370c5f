// SPDX-License-Identifier: MIT
// Every kind of tensor passes the ONNX Runtime plugin unchanged.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstring>
#include <numeric>

#include "tests/plugin/support.h"

namespace mlos::plugin {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

/// A tensor whose bytes count up: every bit of an element matters, and no arithmetic is done on
/// them.
tensor::Tensor Counting(tensor::DType dtype, const tensor::Shape& shape) {
  tensor::Tensor tensor = tensor::Tensor::Allocate(dtype, shape).value();
  auto* bytes = static_cast<unsigned char*>(tensor.data());
  std::iota(bytes, bytes + tensor.size_bytes(), static_cast<unsigned char>(1));
  if (dtype == tensor::DType::kBool) std::fill(bytes, bytes + tensor.size_bytes(), 1);
  return tensor;
}

class EveryDType : public ::testing::TestWithParam<tensor::DType> {};

TEST_P(EveryDType, PassesUnchanged) {
  const auto engine = MustLoad(OnnxPlugin());
  const std::string name(tensor::Name(GetParam()));
  for (const auto& [graph, shape] :
       {std::pair<std::string, tensor::Shape>{"identity_", {6}}, {"fixed_", {2, 3}}}) {
    const auto model = MustLoadModel(*engine, graph, Model(graph + name));
    EXPECT_EQ(model->schema().inputs[0].dtype, GetParam());
    EXPECT_EQ(model->schema().outputs[0].dtype, GetParam());
    const tensor::Tensor expected = Counting(GetParam(), shape);
    const auto response = model->Infer(Request("x", Counting(GetParam(), shape)), nullptr);
    ASSERT_TRUE(response.ok()) << response.status();
    const tensor::Tensor& y = response->outputs[0].tensor;
    EXPECT_EQ(y.dtype(), GetParam());
    EXPECT_EQ(y.shape(), shape);
    EXPECT_EQ(std::memcmp(y.data(), expected.data(), expected.size_bytes()), 0);
  }
}

using enum tensor::DType;
INSTANTIATE_TEST_SUITE_P(Table, EveryDType,
                         ::testing::Values(kFloat32, kUint8, kInt8, kUint16, kInt16, kInt32, kInt64,
                                           kBool, kFloat16, kFloat64, kUint32, kUint64, kBfloat16),
                         [](const auto& info) { return std::string(tensor::Name(info.param)); });

TEST(OnnxStrings, PassUnchanged) {
  const auto engine = MustLoad(OnnxPlugin());
  const std::vector<std::string> strings = {
      "", "a", "with\0NUL", "žluťoučký", std::string(5000, 'x'), std::string("\0\0", 2)};
  const auto model = MustLoadModel(*engine, "strings", Model("identity_string"));
  const auto response = model->Infer(Request("x", Strings(strings, {6})), nullptr);
  ASSERT_TRUE(response.ok()) << response.status();
  EXPECT_EQ(StringsOf(response->outputs[0].tensor), strings);
  const auto fixed = MustLoadModel(*engine, "fixed", Model("fixed_string"));
  const auto answer = fixed->Infer(Request("x", Strings(strings, {2, 3})), nullptr);
  ASSERT_TRUE(answer.ok()) << answer.status();
  EXPECT_EQ(answer->outputs[0].tensor.shape(), tensor::Shape({2, 3}));
  EXPECT_EQ(StringsOf(answer->outputs[0].tensor), strings);
}

TEST(OnnxShapes, OfNoElementsPass) {
  const auto engine = MustLoad(OnnxPlugin());
  const auto model = MustLoadModel(*engine, "floats", Model("identity_float32"));
  const auto response = model->Infer(Request("x", Floats({})), nullptr);
  ASSERT_TRUE(response.ok()) << response.status();
  EXPECT_EQ(response->outputs[0].tensor.shape(), tensor::Shape({0}));
  const auto strings = MustLoadModel(*engine, "strings", Model("identity_string"));
  const auto answer = strings->Infer(Request("x", Strings({}, {0})), nullptr);
  ASSERT_TRUE(answer.ok()) << answer.status();
  EXPECT_THAT(StringsOf(answer->outputs[0].tensor), IsEmpty());
  // An empty tensor may have no address at all.
  auto nowhere = tensor::Tensor::FromBuffer(kFloat32, {0}, tensor::Buffer::Borrow(nullptr, 0));
  EXPECT_TRUE(model->Infer(Request("x", std::move(nowhere).value()), nullptr).ok());
}

TEST(OnnxShapes, OfScalarsPass) {
  const auto engine = MustLoad(OnnxPlugin());
  const auto model = MustLoadModel(*engine, "scalar", Model("scalar"));
  EXPECT_TRUE(model->schema().inputs[0].has_shape);
  EXPECT_TRUE(model->schema().inputs[0].dims.empty());
  const auto response =
      model->Infer(Request("x", MakeTensor<std::int64_t>(kInt64, {-42}, {})), nullptr);
  ASSERT_TRUE(response.ok()) << response.status();
  EXPECT_TRUE(response->outputs[0].tensor.shape().empty());
  EXPECT_EQ(response->outputs[0].tensor.elements<std::int64_t>()[0], 42);
}

TEST(OnnxShapes, WithoutADeclaredRankAreNotScalars) {
  const auto engine = MustLoad(OnnxPlugin());
  const auto model = MustLoadModel(*engine, "unranked", Model("unranked"));
  EXPECT_FALSE(model->schema().inputs[0].has_shape);
  EXPECT_FALSE(model->schema().outputs[0].has_shape);
  for (const tensor::Shape& shape : {tensor::Shape{}, tensor::Shape{1}, tensor::Shape{1, 1, 1}}) {
    const auto response = model->Infer(Request("x", Floats({-3}, shape)), nullptr);
    ASSERT_TRUE(response.ok()) << response.status();
    EXPECT_EQ(response->outputs[0].tensor.shape(), shape);
    EXPECT_THAT(FloatsOf(response->outputs[0].tensor), ElementsAre(3));
  }
}

TEST(OnnxShapes, KeepTheirSymbols) {
  const auto engine = MustLoad(OnnxPlugin());
  const auto model = MustLoadModel(*engine, "add", Model("add"));
  EXPECT_EQ(ToString(model->schema().inputs[1]), "[batch,3]");
  EXPECT_EQ(ToString(model->schema().outputs[0]), "[batch,3]");
  for (const std::int64_t batch : {1, 5}) {
    const std::vector<float> values(static_cast<std::size_t>(batch) * 3, 2);
    const auto response = model->Infer(
        Request("a", Floats(values, {batch, 3}), "b", Floats(values, {batch, 3})), nullptr);
    ASSERT_TRUE(response.ok()) << response.status();
    EXPECT_EQ(response->outputs[0].tensor.shape(), tensor::Shape({batch, 3}));
  }
}

TEST(OnnxShapes, ThatAGraphDeclaresFalselyAreGivenAsTheyAre) {
  const auto engine = MustLoad(OnnxPlugin());
  const auto model = MustLoadModel(*engine, "liar", Model("liar"));
  for (const std::int64_t rows : {3, 1, 3}) {
    const std::vector<float> values(static_cast<std::size_t>(rows) * 2, 7);
    const auto response =
        model->Infer(Request("x", Floats(values), "shape", Int64s({rows, 2})), nullptr);
    ASSERT_TRUE(response.ok()) << response.status();
    EXPECT_EQ(response->outputs[0].tensor.shape(), tensor::Shape({rows, 2}));
    EXPECT_EQ(FloatsOf(response->outputs[0].tensor), values);
  }
}

TEST(OnnxInputs, WithADefaultMayBeLeftOut) {
  const auto engine = MustLoad(OnnxPlugin());
  const auto model = MustLoadModel(*engine, "default", Model("default"));
  ASSERT_NE(model->schema().FindInput("factor"), nullptr);
  EXPECT_FALSE(model->schema().FindInput("factor")->required);
  EXPECT_TRUE(model->schema().FindInput("x")->required);
  const auto without = model->Infer(Request("x", Floats({1, 2})), nullptr);
  ASSERT_TRUE(without.ok()) << without.status();
  EXPECT_THAT(FloatsOf(without->outputs[0].tensor), ElementsAre(2, 4));
  const auto with = model->Infer(Request("x", Floats({1, 2}), "factor", Floats({10})), nullptr);
  ASSERT_TRUE(with.ok()) << with.status();
  EXPECT_THAT(FloatsOf(with->outputs[0].tensor), ElementsAre(10, 20));
}

TEST(OnnxOutputs, ComeInTheOrderAskedFor) {
  const auto engine = MustLoad(OnnxPlugin());
  const auto model = MustLoadModel(*engine, "add", Model("add"));
  engine::InferenceRequest request =
      Request("b", Floats({1, 1, 1}, {1, 3}), "a", Floats({5, 6, 7}, {1, 3}));
  request.requested_outputs = {"difference", "sum"};
  const auto response = model->Infer(request, nullptr);
  ASSERT_TRUE(response.ok()) << response.status();
  EXPECT_EQ(response->outputs[0].name, "difference");
  EXPECT_THAT(FloatsOf(response->outputs[0].tensor), ElementsAre(4, 5, 6));
  EXPECT_THAT(FloatsOf(response->outputs[1].tensor), ElementsAre(6, 7, 8));
}

}  // namespace
}  // namespace mlos::plugin
