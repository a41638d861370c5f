// SPDX-License-Identifier: MIT
#include "api/grpc/tensors/mlos_reader.h"

#include <optional>
#include <string_view>
#include <utility>

#include "base/text.h"

namespace mlos::api::grpc::tensors {
namespace {

using messages::Cost;
using messages::CostField;
using tensor::DType;
using tensor::NamedTensor;
using tensor::Tensor;

constexpr CostField kTensorFields[] = {{3, nullptr, 16}};
const Cost kTensorCost{kTensorFields};
constexpr CostField kInferRequestFields[] = {{2, &kTensorCost, 0}};
constexpr CostField kBidiFields[] = {{2, &kInferRequestCost, 0}};

Result<DType> DTypeOf(const v1::Tensor& input, const engine::ModelSchema& schema) {
  if (input.dtype().empty()) {
    const tensor::TensorSpec* spec = schema.FindInput(input.name());
    if (spec != nullptr) return spec->dtype;
    return Status(schema.declared ? Reason::kUnknownInput : Reason::kMissingField,
                  schema.declared ? "the model has no input of this name"
                                  : "the model declares no dtypes, so the input must say its own");
  }
  const std::optional<DType> dtype = tensor::ParseDType(input.dtype());
  if (dtype) return *dtype;
  return Status(Reason::kInvalidField,
                "'" + Excerpt(input.dtype()) + "' is no dtype, such as float32 or int64");
}

Result<Tensor> ReadInput(const v1::Tensor& input, const engine::ModelSchema& schema,
                         TensorMemory& memory) {
  const DType dtype = MLOS_TRY(DTypeOf(input, schema));
  tensor::Shape shape(input.shape().begin(), input.shape().end());
  if (dtype != DType::kString) {
    if (input.strings_size() != 0) {
      return Status(Reason::kInvalidField, "only a string tensor has strings; others have data");
    }
    return FromBytes(dtype, std::move(shape), input.data(), memory);
  }
  if (!input.data().empty()) {
    return Status(Reason::kInvalidField, "the elements of a string tensor go into strings");
  }
  return FromStrings(
      std::move(shape), input.strings_size(),
      [&input](std::int64_t i) -> std::string_view { return input.strings(static_cast<int>(i)); },
      memory);
}

}  // namespace

const Cost kInferRequestCost{kInferRequestFields};
const Cost kInferBidiRequestCost{kBidiFields};

Result<std::vector<NamedTensor>> ReadInputs(const v1::InferRequest& request,
                                            const engine::ModelSchema& schema,
                                            TensorMemory& memory) {
  std::vector<NamedTensor> inputs;
  for (const v1::Tensor& input : request.inputs()) {
    Result<Tensor> tensor = ReadInput(input, schema, memory);
    if (!tensor.ok()) return std::move(tensor).status().WithField(input.name());
    inputs.push_back({input.name(), std::move(tensor).value()});
  }
  return inputs;
}

}  // namespace mlos::api::grpc::tensors
