// SPDX-License-Identifier: MIT
#include "api/http/oip/messages/infer_input.h"

#include <algorithm>
#include <utility>

#include "api/http/oip/messages/binary_tensor.h"
#include "api/http/tensors/tensor_reader.h"
#include "api/oip/datatype.h"

namespace mlos::api::http::oip::messages {
namespace {

using tensor::DType;
using tensor::Shape;
using tensor::Tensor;

// Of the members of an input: the request, the array of inputs and the input are around them.
constexpr std::size_t kDepth = 3;

Status MissingMember(std::string_view name) {
  return Status(Reason::kMissingField, "it has no member " + json::Quote(name)).WithField(name);
}

// Flat data is given the shape; nested data must have it already.
Status GiveShape(const Shape& shape, Tensor& data) {
  const bool flat = data.shape().size() == 1;
  const std::int64_t wanted = MLOS_TRY(tensor::ElementCount(shape));
  const bool fits = flat ? data.element_count() == wanted : data.shape() == shape;
  if (fits) return data.Reshape(shape);
  if (flat) {
    return {Reason::kShapeMismatch, "data has " + std::to_string(data.element_count()) +
                                        " elements; the shape " + tensor::ToString(shape) +
                                        " wants " + std::to_string(wanted)};
  }
  return {Reason::kShapeMismatch, "data is nested as " + tensor::ToString(data.shape()) +
                                      ", and shape says " + tensor::ToString(shape)};
}

}  // namespace

/// What is known of an input while it is read.
struct InputReader::Input {
  std::string name;
  std::optional<Shape> shape;
  std::optional<DType> dtype;
  std::optional<Tensor> data;
  /// It has a member `data`, read or not.
  bool has_data = false;
  std::optional<std::int64_t> binary_size;
};

Result<tensor::NamedTensor> InputReader::Read(value from) {
  const simdjson::ondemand::object object = MLOS_TRY(ReadObject(from, "inputs"));
  Input input;
  Result<Tensor> tensor = ReadTensor(object, input);
  if (tensor.ok()) return tensor::NamedTensor{std::move(input.name), std::move(tensor).value()};
  Status status = std::move(tensor).status();
  if (input.name.empty()) return std::move(status).WithContext("an input");
  return std::move(status).WithContext("input " + json::Quote(input.name)).WithField(input.name);
}

Result<Tensor> InputReader::ReadTensor(simdjson::ondemand::object object, Input& input) {
  const auto required = [](std::string_view key) { return key != "parameters" && key != "data"; };
  MLOS_TRY(ReadMembers(object, "inputs", required, [&](const std::string& key, value item) {
    return ReadMember(key, item, input);
  }));
  if (input.name.empty()) return MissingMember("name");
  if (!input.shape) return MissingMember("shape");
  if (!input.dtype) return MissingMember("datatype");
  if (input.binary_size) return TakeBinary(input);
  if (!input.has_data) return MissingMember("data");
  if (!input.data) {
    // It came before what tells how to read it.
    value data;
    if (const auto error = object.reset().error()) return json::JsonError(error);
    if (object.find_field("data").get(data) != simdjson::SUCCESS) return MissingMember("data");
    MLOS_TRY(ReadData(data, input));
  }
  return *std::move(input.data);
}

Status InputReader::ReadMember(const std::string& key, value from, Input& input) {
  if (key == "name") {
    input.name = MLOS_TRY(ReadText(from, "inputs.name"));
  } else if (key == "shape") {
    input.shape = MLOS_TRY(ReadShape(from));
  } else if (key == "datatype") {
    const std::string name = MLOS_TRY(ReadText(from, "inputs.datatype"));
    input.dtype = api::oip::ParseDatatype(name);
    if (!input.dtype) {
      return {Reason::kDtypeMismatch, json::Quote(name) + " is not a datatype of the protocol"};
    }
  } else if (key == "parameters") {
    return ReadParameters(from, "inputs.parameters",
                          [&](const auto&... given) { return TakeParameter(input, given...); });
  } else if (key == "data") {
    input.has_data = true;
    if (input.dtype && input.shape) return ReadData(from, input);
  } else {
    return SkipValue(from, kDepth);
  }
  return OkStatus();
}

Status InputReader::TakeParameter(Input& input, const std::string& key, const Parameter& parameter,
                                  const std::string& field) {
  if (key == "binary_data_size") {
    input.binary_size = MLOS_TRY(CountOf(parameter, field));
  } else if (key.starts_with("shared_memory_")) {
    return Status(Reason::kUnimplemented,
                  "shared memory is not offered over the network; send the data")
        .WithField(field);
  }
  return OkStatus();
}

Result<Shape> InputReader::ReadShape(value from) {
  const simdjson::ondemand::array array = MLOS_TRY(ReadArray(from, "inputs.shape"));
  const Result<Tensor> sizes = tensors::ReadTensor(array, {DType::kInt64, 0, kDepth}, memory_);
  if (!sizes.ok()) return Status(sizes.status()).WithContext("shape");
  const auto elements = sizes->elements<std::int64_t>();
  if (sizes->shape().size() != 1 || elements.size() > tensor::kRankMax) {
    return Status(Reason::kShapeMismatch,
                  "shape is not an array of up to " + std::to_string(tensor::kRankMax) + " sizes");
  }
  Shape shape(elements.begin(), elements.end());
  MLOS_TRY(tensor::ElementCount(shape));
  return shape;
}

Status InputReader::ReadData(value from, Input& input) {
  const char* start = from.raw_json_token().data();
  const std::size_t rest = json_.size() - static_cast<std::size_t>(start - json_.data());
  const std::int64_t count = MLOS_TRY(tensor::ElementCount(*input.shape));
  // An element and its comma take two bytes at least, so a shape alone makes us take no memory.
  const std::size_t hint = std::min(static_cast<std::size_t>(count), rest / 2 + 1);
  const simdjson::ondemand::array array = MLOS_TRY(ReadArray(from, "inputs.data"));
  Result<Tensor> data = tensors::ReadTensor(array, {*input.dtype, hint, kDepth}, memory_);
  if (!data.ok()) return std::move(data).status().WithContext("data");
  MLOS_TRY(GiveShape(*input.shape, *data));
  input.data = std::move(data).value();
  return OkStatus();
}

Result<Tensor> InputReader::TakeBinary(Input& input) {
  if (input.has_data) {
    return Status(Reason::kInvalidField, "it has both data and the parameter binary_data_size");
  }
  const auto size = static_cast<std::uint64_t>(*input.binary_size);
  if (size > binary_.size()) {
    return Status(Reason::kInvalidField,
                  "binary_data_size is " + std::to_string(size) + ", and " +
                      std::to_string(binary_.size()) +
                      " bytes are left behind the JSON, whose length the header "
                      "Inference-Header-Content-Length tells");
  }
  const std::string_view bytes = binary_.substr(0, size);
  binary_.remove_prefix(size);
  return ReadBinaryTensor(*input.dtype, *std::move(input.shape), bytes, memory_);
}

Status InputReader::Finish() const {
  if (binary_.empty()) return OkStatus();
  return Status(Reason::kInvalidField,
                "the body has " + std::to_string(binary_.size()) +
                    " bytes of binary data more than the inputs' binary_data_size say")
      .WithField("binary_data_size");
}

}  // namespace mlos::api::http::oip::messages
