// SPDX-License-Identifier: MIT
#include "scheduler/batching/batch_merge.h"

#include <gtest/gtest.h>

#include <limits>
#include <memory>
#include <numeric>

namespace mlos::scheduler::batching {
namespace {

using engine::InferenceRequest;
using engine::InferenceResponse;
using tensor::DType;
using tensor::Tensor;

Tensor Floats(tensor::Shape shape, float first) {
  Tensor tensor = Tensor::Allocate(DType::kFloat32, std::move(shape)).value();
  std::iota(tensor.elements<float>().begin(), tensor.elements<float>().end(), first);
  return tensor;
}

InferenceRequest Request(tensor::Shape shape, float first = 0) {
  InferenceRequest request;
  request.inputs.push_back({"x", Floats(std::move(shape), first)});
  return request;
}

engine::ModelSchema Schema(const std::string& in, const std::string& out, std::int64_t size = -1) {
  const auto spec = [&](std::string name, const std::string& symbol) {
    return tensor::TensorSpec{
        .name = std::move(name), .dtype = DType::kFloat32, .dims = {{size, symbol}, {3, ""}}};
  };
  return {.inputs = {spec("x", in)}, .outputs = {spec("y", out)}};
}

TEST(BatchAxis, IsOneThatIsNamedSoOnEveryInputAndOutput) {
  EXPECT_TRUE(HasBatchAxis(Schema("batch", "batch")));
  EXPECT_TRUE(HasBatchAxis(Schema("Batch_Size", "Batch_Size")));
  EXPECT_TRUE(HasBatchAxis(Schema("N", "N")));
  EXPECT_FALSE(HasBatchAxis(Schema("sequence", "sequence"))) << "merging would join sequences";
  EXPECT_FALSE(HasBatchAxis(Schema("batch", "boxes")));
  EXPECT_FALSE(HasBatchAxis(Schema("", "")));
  EXPECT_FALSE(HasBatchAxis(Schema("batch", "batch", 1))) << "of a fixed size";
  EXPECT_FALSE(HasBatchAxis({.declared = false}));
}

TEST(BatchItems, CountsWhatCanBeMerged) {
  EXPECT_EQ(BatchItems(Request({4, 3})), 4);
  EXPECT_EQ(BatchItems(Request({})), 0) << "a scalar has no axis";
  InferenceRequest uneven = Request({4, 3});
  uneven.inputs.push_back({"z", Floats({3, 3}, 0)});
  EXPECT_EQ(BatchItems(uneven), 0);
  tensor::StringTensorBuilder strings;
  strings.Add("text");
  InferenceRequest text;
  text.inputs.push_back({"x", strings.Build({1}).value()});
  EXPECT_EQ(BatchItems(text), 0);
}

TEST(CanMerge, KeepsRaggedShapesAndOtherNeedsApart) {
  EXPECT_TRUE(CanMerge(Request({1, 3}), Request({7, 3})));
  EXPECT_FALSE(CanMerge(Request({1, 3}), Request({1, 4})));
  EXPECT_FALSE(CanMerge(Request({1, 3}), Request({1, 3, 1})));
  InferenceRequest other = Request({1, 3});
  other.requested_outputs = {"y"};
  EXPECT_FALSE(CanMerge(Request({1, 3}), other));
  other = Request({1, 3});
  other.inputs[0].name = "z";
  EXPECT_FALSE(CanMerge(Request({1, 3}), other));
}

TEST(Compare, ToldByBytesAndNotByHowOftenTheyAreRepeated) {
  const auto repeated = [](std::initializer_list<float> items, float second_input = 0) {
    InferenceRequest request;
    const auto count = static_cast<std::int64_t>(items.size());
    request.inputs.push_back({"x", Floats({count, 1}, 0)});
    std::copy(items.begin(), items.end(), request.inputs[0].tensor.elements<float>().begin());
    request.inputs.push_back({"z", Floats({count, 1}, second_input)});
    return request;
  };
  const auto compare = [](const InferenceRequest& a, const InferenceRequest& b) {
    const InferenceRequest* const all[] = {&a, &a, &b};
    return Compare(all);
  };
  const InferenceRequest one = repeated({1});
  EXPECT_EQ(compare(one, repeated({1})), Compatibility::kEqual);
  EXPECT_EQ(compare(repeated({1, 2}), repeated({1, 2})), Compatibility::kEqual);
  EXPECT_EQ(compare(one, repeated({1, 1})), Compatibility::kAlike);
  EXPECT_EQ(compare(one, repeated({1, 2})), Compatibility::kAlike)
      << "who knows what of the rest counts";
  EXPECT_EQ(compare(one, repeated({2})), Compatibility::kDifferent);
  EXPECT_EQ(compare(one, repeated({1}, 5)), Compatibility::kDifferent);
}

TEST(Merge, AndSplitGiveEachCallerItsOwnItems) {
  const InferenceRequest a = Request({2, 3}, 0);
  const InferenceRequest b = Request({1, 3}, 6);
  const InferenceRequest* const both[] = {&a, &b};
  InferenceRequest merged = Merge(both).value();
  ASSERT_EQ(merged.inputs[0].tensor.shape(), (tensor::Shape{3, 3}));
  EXPECT_EQ(merged.inputs[0].tensor.elements<float>()[8], 8);

  InferenceResponse response;
  response.outputs = std::move(merged.inputs);
  const std::int64_t items[] = {2, 1};
  const auto parts = Split(std::move(response), items).value();
  ASSERT_EQ(parts.size(), 2U);
  EXPECT_EQ(parts[0].outputs[0].tensor.shape(), (tensor::Shape{2, 3}));
  EXPECT_EQ(parts[1].outputs[0].tensor.shape(), (tensor::Shape{1, 3}));
  EXPECT_EQ(parts[0].outputs[0].tensor.elements<float>()[5], 5);
  EXPECT_EQ(parts[1].outputs[0].tensor.elements<float>()[0], 6);
}

// A caller that reads slowly would keep everybody's outputs otherwise.
TEST(Split, LargePartsDoNotHoldEachOther) {
  for (const std::int64_t width : {3, 10'000}) {
    const auto held = std::make_shared<int>();
    InferenceResponse response;
    response.keepalive = held;
    response.outputs.push_back({"y", Floats({3, width}, 0)});
    const std::int64_t items[] = {2, 1};
    auto parts = Split(std::move(response), items).value();
    EXPECT_EQ(held.use_count(), width == 3 ? 2 : 1);
    parts.erase(parts.begin());
    const Tensor& second = parts[0].outputs[0].tensor;
    EXPECT_EQ(second.shape(), (tensor::Shape{1, width}));
    EXPECT_EQ(second.elements<float>()[1], static_cast<float>(2 * width + 1));
  }
}

TEST(Split, RefusesOutputsOfAnotherNumberOfItems) {
  for (const tensor::Shape& shape : {tensor::Shape{2, 3}, tensor::Shape{}}) {
    InferenceResponse response;
    response.outputs.push_back({"y", Floats(shape, 0)});
    const std::int64_t items[] = {2, 1};
    EXPECT_EQ(Split(std::move(response), items).status().reason(), Reason::kPluginFailed);
  }
}

TEST(NearlyEqual, AllowsRoundingAndNothingElse) {
  const auto response = [](DType dtype, auto value) {
    InferenceResponse made;
    Tensor tensor = Tensor::Allocate(dtype, {1}).value();
    tensor.elements<decltype(value)>()[0] = value;
    made.outputs.push_back({"y", std::move(tensor)});
    return made;
  };
  const float nan = std::numeric_limits<float>::quiet_NaN();
  const float inf = std::numeric_limits<float>::infinity();
  EXPECT_TRUE(NearlyEqual(response(DType::kFloat32, 1e6F), response(DType::kFloat32, 1e6F + 5)));
  EXPECT_FALSE(NearlyEqual(response(DType::kFloat32, 1.F), response(DType::kFloat32, 1.001F)));
  EXPECT_TRUE(NearlyEqual(response(DType::kFloat32, nan), response(DType::kFloat32, nan)));
  EXPECT_FALSE(NearlyEqual(response(DType::kFloat32, inf), response(DType::kFloat32, -inf)));
  EXPECT_FALSE(NearlyEqual(response(DType::kInt32, 7), response(DType::kInt32, 8)));
  EXPECT_FALSE(NearlyEqual(response(DType::kFloat32, 1.F), response(DType::kFloat64, 1.0)));
}

}  // namespace
}  // namespace mlos::scheduler::batching
