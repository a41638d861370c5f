// SPDX-License-Identifier: MIT
#include "runtime/fit.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <optional>
#include <string>

namespace mlos::runtime {
namespace {

using tensor::Dim;
using tensor::DType;
using tensor::NamedTensor;
using tensor::Shape;
using tensor::Tensor;
using tensor::TensorSpec;
using ::testing::HasSubstr;

constexpr std::int64_t kAny = tensor::kDynamicSize;

TensorSpec Spec(const std::vector<std::int64_t>& sizes, DType dtype = DType::kInt64,
                std::string name = "x") {
  TensorSpec spec{.name = std::move(name), .dtype = dtype};
  for (const std::int64_t size : sizes) spec.dims.push_back({size, ""});
  return spec;
}

struct FitCase {
  std::vector<std::int64_t> declared;
  Shape given;
  std::optional<Shape> fitted;
};

std::string Describe(const FitCase& fit) {
  return tensor::ToString(fit.given) + " for " + ToString(Spec(fit.declared));
}

void Check(const FitCase& fit) {
  SCOPED_TRACE(Describe(fit));
  const TensorSpec spec = Spec(fit.declared);
  const Result<Shape> fitted = FitShape(spec, fit.given);
  EXPECT_EQ(fitted.ok(), fit.fitted.has_value());
  if (!fitted.ok()) {
    EXPECT_EQ(fitted.status().reason(), Reason::kShapeMismatch);
    EXPECT_EQ(fitted.status().field(), "x");
    EXPECT_THAT(std::string(fitted.status().message()), HasSubstr(ToString(spec)));
    return;
  }
  if (!fit.fitted.has_value()) return;
  EXPECT_EQ(*fitted, *fit.fitted);
  EXPECT_TRUE(Accepts(spec, *fitted));
  EXPECT_EQ(tensor::ElementCount(*fitted).value(), tensor::ElementCount(fit.given).value());
}

TEST(FitShape, Rule1TheDeclaredRankIsTakenAsItIs) {
  const FitCase cases[] = {
      {{kAny, kAny}, {1, 3}, Shape{1, 3}},
      {{kAny, kAny}, {0, 3}, Shape{0, 3}},
      {{2, 3}, {2, 3}, Shape{2, 3}},
      {{}, {}, Shape{}},
      {{kAny}, {0}, Shape{0}},
      {{2, 3}, {3, 2}, std::nullopt},
      {{kAny, 3}, {2, 4}, std::nullopt},
      {{3}, {4}, std::nullopt},
      {{kAny, 3, 224, 224}, {1, 224, 224, 3}, std::nullopt},
      {{kAny}, {1, 3}, std::nullopt},
      {{kAny, kAny}, {1, 1, 3}, std::nullopt},
  };
  for (const FitCase& fit : cases) Check(fit);
}

TEST(FitShape, Rule2DataThatLacksTheFirstDimensionIsABatchOfOne) {
  const FitCase cases[] = {
      {{kAny, kAny}, {3}, Shape{1, 3}},
      {{1, kAny}, {3}, Shape{1, 3}},
      {{kAny, 6}, {6}, Shape{1, 6}},
      {{kAny, kAny}, {0}, Shape{1, 0}},
      {{kAny, 3, 224, 224}, {3, 224, 224}, Shape{1, 3, 224, 224}},
      {{kAny, kAny, kAny}, {2, 3}, Shape{1, 2, 3}},
      {{kAny, kAny, 768}, {2, 768}, Shape{1, 2, 768}},
      {{kAny, kAny, kAny, 3}, {224, 224, 3}, Shape{1, 224, 224, 3}},
      {{2, 3}, {3}, std::nullopt},
  };
  for (const FitCase& fit : cases) Check(fit);
}

TEST(FitShape, Rule3ARunFillsTheRemainingDimensions) {
  const FitCase cases[] = {
      {{kAny, 3, 224, 224}, {150528}, Shape{1, 3, 224, 224}},
      {{kAny, 3, 224, 224}, {1, 150528}, Shape{1, 3, 224, 224}},
      {{kAny, 3, 224, 224}, {2, 150528}, Shape{2, 3, 224, 224}},
      {{kAny, 3, 224, 224}, {301056}, Shape{2, 3, 224, 224}},
      {{kAny, 3, 224, 224}, {3, 50176}, Shape{1, 3, 224, 224}},
      {{kAny, 3, 224, 224}, {1, 3, 50176}, Shape{1, 3, 224, 224}},
      {{1, 3, 2, 2}, {12}, Shape{1, 3, 2, 2}},
      {{2, 3}, {6}, Shape{2, 3}},
      {{kAny, 6}, {12}, Shape{2, 6}},
      {{kAny, kAny, 768}, {1536}, Shape{1, 2, 768}},
      {{kAny, kAny, 768}, {768}, Shape{1, 1, 768}},
      {{kAny, kAny, 768}, {2, 1536}, Shape{2, 2, 768}},
      {{kAny, 1, kAny}, {16000}, Shape{1, 1, 16000}},
      {{kAny, kAny, 1}, {5}, Shape{1, 5, 1}},
      {{kAny, kAny, 1}, {2, 5}, Shape{2, 5, 1}},
      {{kAny, kAny, kAny}, {1}, Shape{1, 1, 1}},
      {{kAny, 3, 224, 224}, {0}, Shape{0, 3, 224, 224}},
      {{kAny, 3, 224, 224}, {150527}, std::nullopt},
      {{kAny, 3, 224, 224}, {224, 224}, std::nullopt},
      {{kAny, 3, 224, 224}, {4, 224, 224}, std::nullopt},
      {{2, 3}, {7}, std::nullopt},
      {{kAny, kAny, 768}, {769}, std::nullopt},
      {{kAny, std::int64_t{1} << 40, std::int64_t{1} << 40}, {5}, std::nullopt},
  };
  for (const FitCase& fit : cases) Check(fit);
}

TEST(FitShape, Rule3SeveralWaysAreNoWay) {
  const FitCase cases[] = {
      {{kAny, kAny, kAny}, {6}, std::nullopt},
      {{kAny, 3, kAny, kAny}, {150528}, std::nullopt},
      {{kAny, 3, kAny, kAny}, {3, 50176}, std::nullopt},
      {{kAny, kAny, kAny, 3}, {150528}, std::nullopt},
      {{kAny, 0, kAny}, {0}, std::nullopt},
      {{2, kAny, kAny}, {12}, std::nullopt},
  };
  for (const FitCase& fit : cases) Check(fit);
}

TEST(FitShape, Rule4OneElementIsAScalarAndAScalarIsOneElement) {
  const FitCase cases[] = {
      {{}, {1}, Shape{}},
      {{1}, {}, Shape{1}},
      {{kAny}, {}, Shape{1}},
      {{kAny, kAny}, {}, Shape{1, 1}},
      {{1, 1, 1}, {}, Shape{1, 1, 1}},
      {{}, {2}, std::nullopt},
      {{}, {1, 1}, std::nullopt},
      {{2}, {}, std::nullopt},
      {{kAny, 3}, {}, std::nullopt},
  };
  for (const FitCase& fit : cases) Check(fit);
}

TEST(FitShape, AnythingGoesWhereNoRankIsDeclared) {
  const TensorSpec spec{.name = "x", .dtype = DType::kInt64, .has_shape = false};
  for (const Shape& shape : {Shape{}, Shape{0}, Shape{2, 3, 4}}) {
    EXPECT_EQ(FitShape(spec, shape).value(), shape);
  }
}

TEST(FitShape, TheMessageShowsTheShapeWantedByItsSymbols) {
  TensorSpec spec = Spec({kAny, 3, 224, 224});
  spec.dims[0].symbol = "batch";
  const Status status = FitShape(spec, Shape{5}).status();
  EXPECT_EQ(status.message(),
            "input 'x' wants the shape [batch,3,224,224], and [5] does not fit it");
}

/// A tensor of int64 0, 1, 2, ….
NamedTensor Input(std::string name, Shape shape) {
  Tensor tensor = Tensor::Allocate(DType::kInt64, std::move(shape)).value();
  std::int64_t next = 0;
  for (std::int64_t& element : tensor.elements<std::int64_t>()) element = next++;
  return {std::move(name), std::move(tensor)};
}

std::vector<NamedTensor> Inputs(NamedTensor first) {
  std::vector<NamedTensor> inputs;
  inputs.push_back(std::move(first));
  return inputs;
}

template <typename T>
std::vector<T> Elements(const NamedTensor& input) {
  const auto elements = input.tensor.elements<T>();
  return {elements.begin(), elements.end()};
}

engine::ModelSchema Bert() {
  return {.inputs = {Spec({kAny, kAny}, DType::kInt64, "input_ids"),
                     Spec({kAny, kAny}, DType::kFloat32, "attention_mask"),
                     Spec({kAny, kAny}, DType::kInt32, "token_type_ids"),
                     Spec({kAny, kAny}, DType::kInt64, "position_ids")}};
}

TEST(FitInputs, GivesElementsTheirShapeWithoutMovingThem) {
  const engine::ModelSchema schema{.inputs = {Spec({kAny, 2, 3})}};
  auto inputs = Inputs(Input("x", {12}));
  const void* before = inputs[0].tensor.data();
  ASSERT_TRUE(FitInputs(schema, inputs).ok());
  EXPECT_EQ(inputs[0].tensor.shape(), (Shape{2, 2, 3}));
  EXPECT_EQ(inputs[0].tensor.data(), before);
}

TEST(FitInputs, MakesWhatTransformersWantBesideTheirTokens) {
  auto inputs = Inputs(Input("input_ids", {2, 3}));
  ASSERT_TRUE(FitInputs(Bert(), inputs).ok());
  ASSERT_EQ(inputs.size(), 4U);
  for (const NamedTensor& input : inputs) EXPECT_EQ(input.tensor.shape(), (Shape{2, 3}));
  EXPECT_EQ(Elements<float>(inputs[1]), std::vector<float>(6, 1.0F));
  EXPECT_EQ(Elements<std::int32_t>(inputs[2]), std::vector<std::int32_t>(6, 0));
  EXPECT_EQ(Elements<std::int64_t>(inputs[3]), (std::vector<std::int64_t>{0, 1, 2, 0, 1, 2}));
}

TEST(FitInputs, MakesThemInTheShapeThatTheTokensWereFittedTo) {
  auto inputs = Inputs(Input("input_ids", {3}));
  ASSERT_TRUE(FitInputs(Bert(), inputs).ok());
  EXPECT_EQ(inputs[1].tensor.shape(), (Shape{1, 3}));
}

TEST(FitInputs, MakesThemOfEveryNumericDType) {
  const DType dtypes[] = {DType::kFloat32, DType::kFloat64, DType::kInt8,  DType::kInt16,
                          DType::kInt32,   DType::kInt64,   DType::kUint8, DType::kUint16,
                          DType::kUint32,  DType::kUint64,  DType::kBool,  DType::kFloat16,
                          DType::kBfloat16};
  for (const DType dtype : dtypes) {
    const engine::ModelSchema schema{.inputs = {Spec({kAny}, DType::kInt64, "input_ids"),
                                                Spec({kAny}, dtype, "attention_mask")}};
    auto inputs = Inputs(Input("input_ids", {1}));
    ASSERT_TRUE(FitInputs(schema, inputs).ok()) << Name(dtype);
    EXPECT_EQ(inputs[1].tensor.dtype(), dtype);
    const auto* bytes = static_cast<const std::uint8_t*>(inputs[1].tensor.data());
    const bool all_zero = std::all_of(bytes, bytes + inputs[1].tensor.size_bytes(),
                                      [](std::uint8_t byte) { return byte == 0; });
    EXPECT_FALSE(all_zero) << Name(dtype);
  }
}

TEST(FitInputs, LeavesAnInputWithADefaultToTheModel) {
  engine::ModelSchema schema = Bert();
  for (TensorSpec& spec : schema.inputs) spec.required = spec.name == "input_ids";
  auto inputs = Inputs(Input("input_ids", {1, 3}));
  ASSERT_TRUE(FitInputs(schema, inputs).ok());
  EXPECT_EQ(inputs.size(), 1U);
}

/// Fitting must fail with `reason` and `field`.
void ExpectRefusal(const engine::ModelSchema& schema, std::vector<NamedTensor> inputs,
                   Reason reason, std::string_view field) {
  const Status status = FitInputs(schema, inputs);
  ASSERT_FALSE(status.ok());
  EXPECT_EQ(status.reason(), reason) << status;
  EXPECT_EQ(status.field(), field) << status;
}

TEST(FitInputs, RefusesWhatTheModelDoesNotTakeAndNamesTheInput) {
  const engine::ModelSchema two{.inputs = {Spec({kAny}), Spec({kAny}, DType::kFloat32, "y")}};
  ExpectRefusal(two, Inputs(Input("z", {1})), Reason::kUnknownInput, "z");
  ExpectRefusal(two, Inputs(Input("x", {1})), Reason::kMissingInput, "y");
  ExpectRefusal(two, Inputs(Input("y", {1})), Reason::kDtypeMismatch, "y");
  ExpectRefusal(two, Inputs(Input("x", {1, 2})), Reason::kShapeMismatch, "x");
  ExpectRefusal(two, {}, Reason::kMissingInput, "x");
  auto twice = Inputs(Input("x", {1}));
  twice.push_back(Input("x", {1}));
  ExpectRefusal(two, std::move(twice), Reason::kInvalidField, "x");
}

TEST(FitInputs, MakesNoMaskThatTheModelWouldRefuse) {
  const TensorSpec ids = Spec({kAny, kAny}, DType::kInt64, "input_ids");
  for (const TensorSpec& mask : {Spec({kAny, kAny, kAny}, DType::kInt64, "attention_mask"),
                                 Spec({kAny, kAny}, DType::kString, "attention_mask")}) {
    ExpectRefusal({.inputs = {ids, mask}}, Inputs(Input("input_ids", {1, 3})),
                  Reason::kMissingInput, "attention_mask");
  }
}

TEST(FitInputs, PassesEverythingOnWhereNothingIsDeclared) {
  const engine::ModelSchema schema{.declared = false};
  auto inputs = Inputs(Input("whatever", {3}));
  EXPECT_TRUE(FitInputs(schema, inputs).ok());
  EXPECT_TRUE(CheckInputs(schema, inputs).ok());
  EXPECT_EQ(inputs[0].tensor.shape(), Shape{3});
}

TEST(CheckOutputs, RefusesWhatTheModelLacksOrIsAskedForTwiceAndNamesTheOutput) {
  engine::ModelSchema schema{.outputs = {Spec({kAny}), Spec({kAny}, DType::kFloat32, "y")}};
  EXPECT_TRUE(CheckOutputs(schema, {}).ok());
  EXPECT_TRUE(CheckOutputs(schema, {"y", "x"}).ok());
  for (const std::vector<std::string>& outputs :
       {std::vector<std::string>{"y", "z"}, {"z", "z"}, {"y", "y", "z"}}) {
    const Status unknown = CheckOutputs(schema, outputs);
    EXPECT_EQ(unknown.reason(), Reason::kInvalidField);
    EXPECT_EQ(unknown.field(), "z");
    EXPECT_EQ(unknown.message(), "the model has no output 'z'; its outputs are 'x', 'y'");
  }
  EXPECT_EQ(CheckOutputs(schema, {"y", "x", "y"}).field(), "y");
  schema.declared = false;
  EXPECT_TRUE(CheckOutputs(schema, {"z"}).ok());
  EXPECT_EQ(CheckOutputs(schema, {"z", "z"}).field(), "z");
}

TEST(CheckInputs, FitsNothingAndMakesNothing) {
  const engine::ModelSchema schema{.inputs = {Spec({kAny, kAny}, DType::kInt64, "input_ids")}};
  EXPECT_TRUE(CheckInputs(schema, Inputs(Input("input_ids", {1, 3}))).ok());
  EXPECT_EQ(CheckInputs(schema, Inputs(Input("input_ids", {3}))).reason(), Reason::kShapeMismatch);
  EXPECT_EQ(CheckInputs(Bert(), Inputs(Input("input_ids", {1, 3}))).reason(),
            Reason::kMissingInput);
}

}  // namespace
}  // namespace mlos::runtime
