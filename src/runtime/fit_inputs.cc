// SPDX-License-Identifier: MIT
#include <algorithm>
#include <optional>
#include <string>

#include "base/text.h"
#include "runtime/fit.h"
#include "tensor/float16.h"

namespace mlos::runtime {
namespace {

using engine::ModelSchema;
using tensor::DType;
using tensor::NamedTensor;
using tensor::Tensor;
using tensor::TensorSpec;

std::string NamesOf(const std::vector<TensorSpec>& specs) {
  constexpr std::size_t kShown = 8;
  std::string names;
  for (std::size_t i = 0; i < std::min(specs.size(), kShown); ++i) {
    names.append(i == 0 ? "'" : ", '").append(specs[i].name).append("'");
  }
  return specs.size() > kShown ? names + ", …" : names;
}

Status Unknown(const ModelSchema& schema, const std::string& name) {
  return Status(Reason::kUnknownInput, "the model has no input '" + Excerpt(name) +
                                           "'; its inputs are " + NamesOf(schema.inputs))
      .WithField(name);
}

Status Missing(const TensorSpec& spec) {
  return Status(Reason::kMissingInput, "input '" + spec.name + "' of " +
                                           std::string(Name(spec.dtype)) + " " + ToString(spec) +
                                           " is missing")
      .WithField(spec.name);
}

/// A name that is there twice, if there is one.
std::optional<std::string_view> Twice(std::vector<std::string_view> names) {
  std::sort(names.begin(), names.end());
  const auto twice = std::adjacent_find(names.begin(), names.end());
  return twice == names.end() ? std::nullopt : std::optional(*twice);
}

Status CheckDistinct(const std::vector<NamedTensor>& inputs) {
  if (inputs.size() < 2) return OkStatus();
  std::vector<std::string_view> names;
  names.reserve(inputs.size());
  for (const NamedTensor& input : inputs) names.push_back(input.name);
  const auto twice = Twice(std::move(names));
  if (!twice) return OkStatus();
  return Status(Reason::kInvalidField, "input '" + Excerpt(*twice) + "' is given twice")
      .WithField(*twice);
}

Status CheckNames(const ModelSchema& schema, const std::vector<NamedTensor>& inputs) {
  MLOS_TRY(CheckDistinct(inputs));
  if (!schema.declared) return OkStatus();
  for (const NamedTensor& input : inputs) {
    if (schema.FindInput(input.name) == nullptr) return Unknown(schema, input.name);
  }
  return OkStatus();
}

Status CheckDType(const TensorSpec& spec, const Tensor& tensor) {
  if (spec.dtype == tensor.dtype()) return OkStatus();
  return Status(Reason::kDtypeMismatch, "input '" + spec.name + "' takes " +
                                            std::string(Name(spec.dtype)) + ", not " +
                                            std::string(Name(tensor.dtype())))
      .WithField(spec.name);
}

const Tensor* Find(const std::vector<NamedTensor>& inputs, std::string_view name) {
  const auto input = std::find_if(inputs.begin(), inputs.end(),
                                  [&](const NamedTensor& i) { return i.name == name; });
  return input == inputs.end() ? nullptr : &input->tensor;
}

/// Writes value(i) to element i; true, so that Fill reads as a table.
template <typename T, typename Value, typename Convert>
bool FillAs(const Tensor& tensor, Value value, Convert convert) {
  std::int64_t i = 0;
  for (T& element : tensor.elements<T>()) element = convert(value(i++));
  return true;
}

template <typename T, typename Value>
bool FillAs(const Tensor& tensor, Value value) {
  return FillAs<T>(tensor, value, [](std::int64_t v) { return static_cast<T>(v); });
}

/// False for a dtype that holds no numbers.
template <typename Value>
bool Fill(const Tensor& tensor, Value value) {
  switch (tensor.dtype()) {
    case DType::kFloat32:
      return FillAs<float>(tensor, value);
    case DType::kFloat64:
      return FillAs<double>(tensor, value);
    case DType::kInt8:
      return FillAs<std::int8_t>(tensor, value);
    case DType::kInt16:
      return FillAs<std::int16_t>(tensor, value);
    case DType::kInt32:
      return FillAs<std::int32_t>(tensor, value);
    case DType::kInt64:
      return FillAs<std::int64_t>(tensor, value);
    case DType::kUint8:
      return FillAs<std::uint8_t>(tensor, value);
    case DType::kUint16:
      return FillAs<std::uint16_t>(tensor, value);
    case DType::kUint32:
      return FillAs<std::uint32_t>(tensor, value);
    case DType::kUint64:
      return FillAs<std::uint64_t>(tensor, value);
    case DType::kBool:
      return FillAs<std::uint8_t>(tensor, value, [](std::int64_t v) { return v != 0 ? 1 : 0; });
    case DType::kFloat16:
      return FillAs<std::uint16_t>(tensor, value, [](std::int64_t v) {
        return tensor::Float16FromDouble(static_cast<double>(v));
      });
    case DType::kBfloat16:
      return FillAs<std::uint16_t>(tensor, value, [](std::int64_t v) {
        return tensor::Bfloat16FromDouble(static_cast<double>(v));
      });
    default:
      return false;
  }
}

bool FillByName(const std::string& name, const Tensor& tensor) {
  if (name == "attention_mask") return Fill(tensor, [](std::int64_t) { return 1; });
  if (name == "token_type_ids") return Fill(tensor, [](std::int64_t) { return 0; });
  if (name != "position_ids") return false;
  const std::int64_t row =
      tensor.shape().empty() ? 1 : std::max<std::int64_t>(1, tensor.shape().back());
  return Fill(tensor, [row](std::int64_t i) { return i % row; });
}

/// What stands in for a required input that was left out; MISSING_INPUT where nothing does.
Result<Tensor> MakeInput(const TensorSpec& spec, const std::vector<NamedTensor>& inputs) {
  const Tensor* input_ids = Find(inputs, "input_ids");
  if (input_ids == nullptr || spec.dtype == DType::kUndefined ||
      !Accepts(spec, input_ids->shape())) {
    return Missing(spec);
  }
  Tensor tensor = MLOS_TRY(Tensor::Allocate(spec.dtype, input_ids->shape()));
  if (!FillByName(spec.name, tensor)) return Missing(spec);
  return tensor;
}

bool MayBeMissing(const TensorSpec& spec, const std::vector<NamedTensor>& inputs,
                  const sequence::StatePairs& state) {
  return !spec.required || Find(inputs, spec.name) != nullptr || state.contains(spec.name);
}

/// The state that a request may lack.
Result<const sequence::StatePairs*> StateOf(const catalog::ServedModel& model,
                                            const engine::InferenceRequest& request) {
  static const sequence::StatePairs kNone{};
  if (request.sequence == nullptr) return &kNone;
  if (model.sequences() != nullptr) return &model.sequences()->pairs();
  return Status(Reason::kInvalidField,
                "the model carries no state from one request of a sequence to the next; where its "
                "graph does, register it with state_pairs")
      .WithField("sequence_id");
}

}  // namespace

Status FitInputs(const ModelSchema& schema, std::vector<NamedTensor>& inputs,
                 const sequence::StatePairs& state) {
  MLOS_TRY(CheckNames(schema, inputs));
  if (!schema.declared) return OkStatus();
  for (NamedTensor& input : inputs) {
    const TensorSpec& spec = *schema.FindInput(input.name);
    MLOS_TRY(CheckDType(spec, input.tensor));
    tensor::Shape shape = MLOS_TRY(FitShape(spec, input.tensor.shape()));
    MLOS_TRY(input.tensor.Reshape(std::move(shape)));
  }
  for (const TensorSpec& spec : schema.inputs) {
    if (MayBeMissing(spec, inputs, state)) continue;
    Tensor made = MLOS_TRY(MakeInput(spec, inputs));
    inputs.push_back({spec.name, std::move(made)});
  }
  return OkStatus();
}

Status CheckInputs(const ModelSchema& schema, const std::vector<NamedTensor>& inputs,
                   const sequence::StatePairs& state) {
  MLOS_TRY(CheckNames(schema, inputs));
  if (!schema.declared) return OkStatus();
  for (const NamedTensor& input : inputs) {
    const TensorSpec& spec = *schema.FindInput(input.name);
    MLOS_TRY(CheckDType(spec, input.tensor));
    if (!Accepts(spec, input.tensor.shape())) {
      return Status(Reason::kShapeMismatch, "input '" + spec.name + "' wants the shape " +
                                                ToString(spec) + ", not " +
                                                tensor::ToString(input.tensor.shape()))
          .WithField(spec.name);
    }
  }
  for (const TensorSpec& spec : schema.inputs) {
    if (!MayBeMissing(spec, inputs, state)) return Missing(spec);
  }
  return OkStatus();
}

Status CheckOutputs(const ModelSchema& schema, const std::vector<std::string>& outputs) {
  for (const std::string& name : outputs) {
    if (!schema.declared || schema.FindOutput(name) != nullptr) continue;
    return Status(Reason::kInvalidField, "the model has no output '" + Excerpt(name) +
                                             "'; its outputs are " + NamesOf(schema.outputs))
        .WithField(name);
  }
  const auto twice = Twice({outputs.begin(), outputs.end()});
  if (!twice) return OkStatus();
  return Status(Reason::kInvalidField, "output '" + Excerpt(*twice) + "' is asked for twice")
      .WithField(*twice);
}

namespace {

Status CheckOutputs(const catalog::ServedModel& model, const std::vector<std::string>& outputs) {
  const std::vector<std::string>& sequences = model.sequence_outputs();
  for (const std::string& name : outputs) {
    if (std::find(sequences.begin(), sequences.end(), name) == sequences.end()) continue;
    return Status(Reason::kInvalidField,
                  "output '" + Excerpt(name) +
                      "' is a sequence, and only tensors are served; if ZipMap makes it, export "
                      "the model without: options={'zipmap': False} in skl2onnx")
        .WithField(name);
  }
  return runtime::CheckOutputs(model.schema(), outputs);
}

}  // namespace

Status FitRequest(const catalog::ServedModel& model, engine::InferenceRequest& request) {
  MLOS_TRY(CheckOutputs(model, request.requested_outputs));
  return FitInputs(model.schema(), request.inputs, *MLOS_TRY(StateOf(model, request)));
}

Status CheckRequest(const catalog::ServedModel& model, const engine::InferenceRequest& request) {
  MLOS_TRY(CheckOutputs(model, request.requested_outputs));
  return CheckInputs(model.schema(), request.inputs, *MLOS_TRY(StateOf(model, request)));
}

}  // namespace mlos::runtime
