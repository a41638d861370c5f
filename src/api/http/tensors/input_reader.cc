// SPDX-License-Identifier: MIT
#include "api/http/tensors/input_reader.h"

#include <simdjson.h>

#include <algorithm>
#include <optional>
#include <string>
#include <utility>

#include "api/http/tensors/element.h"
#include "api/http/tensors/tensor_reader.h"
#include "json/json_error.h"
#include "json/parser.h"

namespace mlos::api::http::tensors {
namespace {

using simdjson::ondemand::json_type;
using simdjson::ondemand::value;
using tensor::DType;

constexpr std::string_view kWrapper = "inputs";

/// `{"dtype": …, "shape": …, "data": …}` while it is read.
struct ExplicitTensor {
  std::optional<tensor::Shape> shape;
  std::optional<tensor::Tensor> data;
};

/// Reads one body. Thread-compatible.
class InputReader {
 public:
  InputReader(const net::ByteBuffer& body, const engine::ModelSchema& schema, RequestMemory& memory)
      : body_(body.view()), schema_(schema), memory_(memory) {}

  Status Read(simdjson::ondemand::document& document) {
    json_type type;
    if (const auto error = document.type().get(type)) return json::JsonError(error);
    if (type == json_type::array) {
      MLOS_TRY(ReadOnlyInput(document));
    } else if (type == json_type::object) {
      simdjson::ondemand::object object;
      if (const auto error = document.get_object().get(object)) return json::JsonError(error);
      MLOS_TRY(ReadMembers(object, 1));
    } else {
      return {Reason::kMalformedJson, "the body is not an object of input names to values"};
    }
    return json::CheckEnd(document);
  }

  std::vector<tensor::NamedTensor> Take() { return std::move(inputs_); }

 private:
  static bool IsRequired(const tensor::TensorSpec& spec) { return spec.required; }

  std::ptrdiff_t RequiredCount() const {
    return std::count_if(schema_.inputs.begin(), schema_.inputs.end(), IsRequired);
  }

  /// What a bare array is for: the one input there is, or the one that has no default.
  const tensor::TensorSpec* OnlyInput() const {
    if (schema_.inputs.size() == 1) return &schema_.inputs.front();
    if (RequiredCount() != 1) return nullptr;
    return &*std::find_if(schema_.inputs.begin(), schema_.inputs.end(), IsRequired);
  }

  Status ReadOnlyInput(simdjson::ondemand::document& document) {
    const tensor::TensorSpec* const only = OnlyInput();
    if (only == nullptr) {
      return {Reason::kMissingInput,
              "a bare array is for models with one required input, and this one has " +
                  std::to_string(RequiredCount()) + "; send an object of input names to values"};
    }
    const tensor::TensorSpec& spec = *only;
    simdjson::ondemand::array array;
    if (const auto error = document.get_array().get(array)) return json::JsonError(error);
    return Keep(spec.name, ReadTensor(array, Options(spec, body_, 0), memory_));
  }

  Status ReadMembers(simdjson::ondemand::object& object, std::size_t depth) {
    for (auto member : object) {
      std::string_view name;
      if (const auto error = member.unescaped_key().get(name)) return json::JsonError(error);
      value from;
      if (const auto error = member.value().get(from)) return json::JsonError(error);
      const json_type type = MLOS_TRY(TypeOfElement(from));
      if (type == json_type::object && IsWrapper(name, depth)) {
        simdjson::ondemand::object inner;
        if (const auto error = from.get_object().get(inner)) return json::JsonError(error);
        MLOS_TRY(ReadMembers(inner, depth + 1));
      } else {
        MLOS_TRY(ReadInput(name, from, type, depth));
      }
    }
    return OkStatus();
  }

  bool IsWrapper(std::string_view name, std::size_t depth) const {
    return depth == 1 && name == kWrapper && schema_.FindInput(kWrapper) == nullptr;
  }

  Status ReadInput(std::string_view key, value from, json_type type, std::size_t depth) {
    // simdjson's memory of the key is used again for what follows.
    const std::string name(key);
    MLOS_TRY(CheckName(name));
    static const tensor::TensorSpec kUndeclared;
    const tensor::TensorSpec* declared = schema_.FindInput(name);
    const tensor::TensorSpec& spec = declared != nullptr ? *declared : kUndeclared;
    if (type == json_type::object) return Keep(name, ReadExplicit(from, spec, depth));
    const std::string_view rest = RestFrom(from);
    return Keep(name, ReadTensor(from, Options(spec, rest, depth), memory_));
  }

  Status CheckName(const std::string& name) const {
    const auto given = std::find_if(inputs_.begin(), inputs_.end(),
                                    [&](const auto& input) { return input.name == name; });
    if (given != inputs_.end()) {
      return Status(Reason::kInvalidField, "the input " + json::Quote(name) + " is given twice")
          .WithField(name);
    }
    if (!schema_.declared || schema_.FindInput(name) != nullptr) return OkStatus();
    std::string known;
    for (const auto& spec : schema_.inputs) known += (known.empty() ? "" : ", ") + spec.name;
    return Status(Reason::kUnknownInput,
                  "the model has no input " + json::Quote(name) + "; its inputs are " + known)
        .WithField(name);
  }

  Result<tensor::Tensor> ReadExplicit(value from, const tensor::TensorSpec& spec,
                                      std::size_t depth) {
    simdjson::ondemand::object object;
    if (const auto error = from.get_object().get(object)) return json::JsonError(error);
    ExplicitTensor read;
    DType dtype = spec.dtype;
    for (auto member : object) {
      std::string_view key;
      if (const auto error = member.unescaped_key().get(key)) return json::JsonError(error);
      value item;
      if (const auto error = member.value().get(item)) return json::JsonError(error);
      if (key == "shape" && !read.shape) {
        read.shape = MLOS_TRY(ReadShape(item, depth + 1));
      } else if (key == "data" && !read.data) {
        TensorReadOptions options = Options(spec, RestFrom(item), depth + 1);
        if (dtype != DType::kUndefined) options.dtype = dtype;
        read.data = MLOS_TRY(ReadTensor(item, options, memory_));
      } else if (key == "dtype") {
        dtype = MLOS_TRY(ReadDType(item, spec));
      } else {
        return Status(
            Reason::kInvalidField,
            "an object for an input has shape and data, each once, and not " + json::Quote(key));
      }
    }
    return Combine(std::move(read));
  }

  static Result<tensor::Tensor> Combine(ExplicitTensor read) {
    if (!read.shape || !read.data) {
      return Status(Reason::kInvalidField, "an object for an input has both shape and data");
    }
    const bool flat = read.data->shape().size() <= 1;
    if (!flat && read.data->shape() != *read.shape) {
      return Status(Reason::kShapeMismatch, "the data has the shape " +
                                                tensor::ToString(read.data->shape()) + ", not " +
                                                tensor::ToString(*read.shape));
    }
    MLOS_TRY(read.data->Reshape(*std::move(read.shape)));
    return *std::move(read.data);
  }

  Result<tensor::Shape> ReadShape(value from, std::size_t depth) {
    const tensor::Tensor sizes = MLOS_TRY(ReadTensor(from, {DType::kInt64, 0, depth}, memory_));
    const auto elements = sizes.elements<std::int64_t>();
    if (sizes.shape().size() != 1 || elements.size() > tensor::kRankMax) {
      return Status(Reason::kShapeMismatch, "the shape is not an array of up to " +
                                                std::to_string(tensor::kRankMax) + " sizes");
    }
    return tensor::Shape(elements.begin(), elements.end());
  }

  static Result<DType> ReadDType(value from, const tensor::TensorSpec& spec) {
    std::string_view name;
    if (const auto error = from.get_string().get(name)) return json::JsonError(error);
    const std::optional<DType> dtype = tensor::ParseDType(name);
    if (!dtype) return Status(Reason::kDtypeMismatch, json::Quote(name) + " is not a dtype");
    if (spec.dtype != DType::kUndefined && *dtype != spec.dtype) {
      return Status(
          Reason::kDtypeMismatch,
          "the input is " + std::string(tensor::Name(spec.dtype)) + ", not " + json::Quote(name));
    }
    return *dtype;
  }

  Status Keep(const std::string& name, Result<tensor::Tensor> read) {
    if (!read.ok()) {
      return std::move(read).status().WithContext("input " + json::Quote(name)).WithField(name);
    }
    inputs_.push_back({name, std::move(read).value()});
    return OkStatus();
  }

  std::string_view RestFrom(value& from) const {
    const char* start = from.raw_json_token().data();
    return body_.substr(static_cast<std::size_t>(start - body_.data()));
  }

  /// `text` starts with the value.
  TensorReadOptions Options(const tensor::TensorSpec& spec, std::string_view text,
                            std::size_t depth) const {
    // A number and its comma take two bytes at least, so a model cannot make us take more.
    std::size_t hint = spec.dims.empty() ? 0 : 1;
    for (const tensor::Dim& dim : spec.dims) {
      if (!dim.dynamic()) hint *= static_cast<std::size_t>(dim.size);
      hint = std::min(hint, text.size() / 2 + 1);
    }
    return {spec.dtype != DType::kUndefined ? spec.dtype : Guess(text), hint, depth};
  }

  static DType Guess(std::string_view text) {
    const std::size_t first = text.find_first_not_of("[ \t\r\n");
    const char c = first == std::string_view::npos ? '0' : text[first];
    if (c == '"') return DType::kString;
    return c == 't' || c == 'f' ? DType::kBool : DType::kFloat32;
  }

  const std::string_view body_;
  const engine::ModelSchema& schema_;
  RequestMemory& memory_;
  std::vector<tensor::NamedTensor> inputs_;
};

}  // namespace

Result<std::vector<tensor::NamedTensor>> ReadInputs(const net::ByteBuffer& body,
                                                    const engine::ModelSchema& schema,
                                                    RequestMemory& memory) {
  json::ParserLease lease;
  simdjson::ondemand::document document = MLOS_TRY(lease.Open(body, memory.budget()));
  InputReader reader(body, schema, memory);
  MLOS_TRY(reader.Read(document));
  return reader.Take();
}

}  // namespace mlos::api::http::tensors
