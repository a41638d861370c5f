// SPDX-License-Identifier: MIT
#include "api/grpc/tensors/oip_reader.h"

#include <algorithm>
#include <limits>
#include <string_view>
#include <utility>

#include "api/oip/datatype.h"
#include "base/text.h"

namespace mlos::api::grpc::tensors {
namespace {

using inference::InferTensorContents;
using messages::Cost;
using messages::CostField;
using tensor::DType;
using tensor::NamedTensor;
using tensor::Shape;
using tensor::Tensor;
using InputTensor = inference::ModelInferRequest::InferInputTensor;
using ParameterMap = google::protobuf::Map<std::string, inference::InferParameter>;

constexpr std::uint64_t kInt64Factor = 16;  // a byte may be a number of eight, in a doubling list
constexpr std::uint64_t kInt32Factor = 8;
constexpr std::uint64_t kFixedFactor = 2;

const Cost kParameterCost{};
constexpr CostField kEntryFields[] = {{2, &kParameterCost, 0}};
const Cost kEntryCost{kEntryFields};
constexpr CostField kContentsFields[] = {{1, nullptr, kFixedFactor}, {2, nullptr, kInt32Factor},
                                         {3, nullptr, kInt64Factor}, {4, nullptr, kInt32Factor},
                                         {5, nullptr, kInt64Factor}, {6, nullptr, kFixedFactor},
                                         {7, nullptr, kFixedFactor}};
const Cost kContentsCost{kContentsFields};
constexpr CostField kInputFields[] = {
    {3, nullptr, kInt64Factor}, {4, &kEntryCost, 0}, {5, &kContentsCost, 0}};
const Cost kInputCost{kInputFields};
constexpr CostField kOutputFields[] = {{2, &kEntryCost, 0}};
const Cost kOutputCost{kOutputFields};
constexpr CostField kRequestFields[] = {
    {4, &kEntryCost, 0}, {5, &kInputCost, 0}, {6, &kOutputCost, 0}};

template <typename List>
std::string_view BytesOf(const List& list) {
  return {reinterpret_cast<const char*>(list.data()),
          static_cast<std::size_t>(list.size()) * sizeof(*list.data())};
}

/// The elements of `list` as they are.
template <typename List>
Result<Tensor> Same(DType dtype, Shape shape, const List& list, TensorMemory& memory) {
  return FromBytes(dtype, std::move(shape), BytesOf(list), memory);
}

/// The elements of `list` as numbers of fewer bits.
template <typename Narrow, typename List>
Result<Tensor> Narrowed(DType dtype, Shape shape, const List& list, TensorMemory& memory) {
  const std::int64_t needed = MLOS_TRY(tensor::ElementCount(shape));
  if (needed != list.size()) {
    return WrongCount("elements", static_cast<std::uint64_t>(list.size()),
                      static_cast<std::uint64_t>(needed), shape);
  }
  MLOS_TRY(memory.Add(static_cast<std::uint64_t>(list.size()) * sizeof(Narrow)));
  Tensor made = MLOS_TRY(Tensor::Allocate(dtype, std::move(shape)));
  int i = 0;
  for (Narrow& element : made.elements<Narrow>()) {
    const auto value = list.Get(i);
    if (!std::in_range<Narrow>(value)) {
      return Status(Reason::kValueOutOfRange,
                    "element " + std::to_string(i) + " is " + std::to_string(value) + ", which " +
                        std::string(oip::DatatypeName(dtype)) + " cannot hold");
    }
    element = static_cast<Narrow>(value);
    ++i;
  }
  return made;
}

Result<Tensor> FromContents(DType dtype, Shape shape, const InferTensorContents& c,
                            TensorMemory& memory) {
  switch (dtype) {
    case DType::kBool:
      return Same(dtype, std::move(shape), c.bool_contents(), memory);
    case DType::kInt8:
      return Narrowed<std::int8_t>(dtype, std::move(shape), c.int_contents(), memory);
    case DType::kInt16:
      return Narrowed<std::int16_t>(dtype, std::move(shape), c.int_contents(), memory);
    case DType::kInt32:
      return Same(dtype, std::move(shape), c.int_contents(), memory);
    case DType::kInt64:
      return Same(dtype, std::move(shape), c.int64_contents(), memory);
    case DType::kUint8:
      return Narrowed<std::uint8_t>(dtype, std::move(shape), c.uint_contents(), memory);
    case DType::kUint16:
      return Narrowed<std::uint16_t>(dtype, std::move(shape), c.uint_contents(), memory);
    case DType::kUint32:
      return Same(dtype, std::move(shape), c.uint_contents(), memory);
    case DType::kUint64:
      return Same(dtype, std::move(shape), c.uint64_contents(), memory);
    case DType::kFloat32:
      return Same(dtype, std::move(shape), c.fp32_contents(), memory);
    case DType::kFloat64:
      return Same(dtype, std::move(shape), c.fp64_contents(), memory);
    case DType::kString:
      return FromStrings(
          std::move(shape), c.bytes_contents_size(),
          [&c](std::int64_t i) -> std::string_view {
            return c.bytes_contents(static_cast<int>(i));
          },
          memory);
    default:
      return Status(Reason::kInvalidField, std::string(oip::DatatypeName(dtype)) +
                                               " can be given in raw_input_contents only");
  }
}

// How many of the lists have elements: those of another dtype would be ignored silently.
int FilledLists(const InferTensorContents& c) {
  const int sizes[] = {c.bool_contents_size(), c.int_contents_size(),    c.int64_contents_size(),
                       c.uint_contents_size(), c.uint64_contents_size(), c.fp32_contents_size(),
                       c.fp64_contents_size(), c.bytes_contents_size()};
  return static_cast<int>(
      std::count_if(std::begin(sizes), std::end(sizes), [](int size) { return size != 0; }));
}

Result<Tensor> ReadInput(const InputTensor& input, const std::string* raw, TensorMemory& memory) {
  const auto dtype = oip::ParseDatatype(input.datatype());
  if (!dtype) {
    return Status(Reason::kInvalidField,
                  "'" + Excerpt(input.datatype()) + "' is no datatype, such as FP32 or INT64");
  }
  Shape shape(input.shape().begin(), input.shape().end());
  if (raw == nullptr) {
    if (FilledLists(input.contents()) > 1) {
      return Status(Reason::kInvalidField, "the input has contents of several datatypes");
    }
    return FromContents(*dtype, std::move(shape), input.contents(), memory);
  }
  if (input.has_contents()) {
    return Status(Reason::kInvalidField,
                  "the input has contents, and the request has raw_input_contents");
  }
  if (*dtype == DType::kString) return FromPrefixedBytes(std::move(shape), *raw, memory);
  return FromBytes(*dtype, std::move(shape), *raw, memory);
}

/// The field of a parameter, as it is called over HTTP; `of` is "inputs.", "outputs." or nothing.
std::string FieldOf(std::string_view of, std::string_view name) {
  return std::string(of).append("parameters.").append(name);
}

Status Refuse(const ParameterMap& parameters, std::string_view of, std::string_view name,
              std::string_view why) {
  if (!parameters.contains(std::string(name))) return OkStatus();
  return Status(Reason::kUnimplemented, std::string(why)).WithField(FieldOf(of, name));
}

Status CheckTensorParameters(const ParameterMap& parameters, std::string_view of) {
  return Refuse(parameters, of, "shared_memory_region",
                "shared memory is not offered over the network; send the elements");
}

Result<bool> FlagOf(const ParameterMap& parameters, const char* name) {
  const auto found = parameters.find(name);
  if (found == parameters.end()) return false;
  if (found->second.has_bool_param()) return found->second.bool_param();
  return Status(Reason::kInvalidField, "the parameter is a bool_param")
      .WithField(FieldOf("", name));
}

Result<std::string> SequenceIdOf(const ParameterMap& parameters) {
  const auto found = parameters.find("sequence_id");
  if (found == parameters.end()) return std::string();
  const inference::InferParameter& id = found->second;
  if (id.has_string_param()) return id.string_param();
  if (id.has_uint64_param()) return std::to_string(id.uint64_param());
  if (id.has_int64_param() && id.int64_param() >= 0) return std::to_string(id.int64_param());
  return Status(Reason::kInvalidField, "the parameter is a string or an integer of 0 or more")
      .WithField(FieldOf("", "sequence_id"));
}

}  // namespace

const Cost kOipRequestCost{kRequestFields};

Result<std::vector<NamedTensor>> ReadOipInputs(const inference::ModelInferRequest& request,
                                               TensorMemory& memory) {
  const bool raw = request.raw_input_contents_size() != 0;
  if (raw && request.raw_input_contents_size() != request.inputs_size()) {
    return Status(Reason::kInvalidField, std::to_string(request.inputs_size()) + " inputs have " +
                                             std::to_string(request.raw_input_contents_size()) +
                                             " raw contents")
        .WithField("raw_input_contents");
  }
  std::vector<NamedTensor> inputs;
  for (int i = 0; i < request.inputs_size(); ++i) {
    const InputTensor& input = request.inputs(i);
    Result<Tensor> tensor =
        ReadInput(input, raw ? &request.raw_input_contents(i) : nullptr, memory);
    if (!tensor.ok()) return std::move(tensor).status().WithField(input.name());
    inputs.push_back({input.name(), std::move(tensor).value()});
  }
  return inputs;
}

Result<std::vector<std::string>> ReadOipOutputs(const inference::ModelInferRequest& request) {
  std::vector<std::string> names;
  for (const auto& output : request.outputs()) {
    MLOS_TRY(CheckTensorParameters(output.parameters(), "outputs."));
    MLOS_TRY(
        Refuse(output.parameters(), "outputs.", "classification", "classification is not offered"));
    names.push_back(output.name());
  }
  return names;
}

Result<std::int64_t> ReadOipTimeoutUs(const inference::ModelInferRequest& request) {
  const auto found = request.parameters().find("timeout");
  if (found == request.parameters().end()) return 0;
  const inference::InferParameter& timeout = found->second;
  if (timeout.has_int64_param() && timeout.int64_param() >= 0) return timeout.int64_param();
  if (timeout.has_uint64_param()) {
    return static_cast<std::int64_t>(
        std::min<std::uint64_t>(timeout.uint64_param(), std::numeric_limits<std::int64_t>::max()));
  }
  return Status(Reason::kInvalidField, "the timeout is an integer of 0 or more microseconds")
      .WithField(FieldOf("", "timeout"));
}

Status CheckOipParameters(const inference::ModelInferRequest& request) {
  for (const auto& input : request.inputs())
    MLOS_TRY(CheckTensorParameters(input.parameters(), "inputs."));
  return OkStatus();
}

Result<std::unique_ptr<engine::SequenceStep>> ReadOipSequence(
    const inference::ModelInferRequest& request) {
  const ParameterMap& parameters = request.parameters();
  if (parameters.empty()) return std::unique_ptr<engine::SequenceStep>();
  const bool start = MLOS_TRY(FlagOf(parameters, "sequence_start"));
  const bool end = MLOS_TRY(FlagOf(parameters, "sequence_end"));
  return engine::MakeSequenceStep(MLOS_TRY(SequenceIdOf(parameters)), start, end);
}

}  // namespace mlos::api::grpc::tensors
