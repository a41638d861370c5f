// SPDX-License-Identifier: MIT
#include "api/http/tensors/element.h"

#include <limits>
#include <string>

#include "json/json_error.h"

namespace mlos::api::http::tensors {
namespace {

using json::Quote;

std::string_view TrimEnd(std::string_view token) {
  const std::size_t last = token.find_last_not_of(" \t\r\n");
  return token.substr(0, last == std::string_view::npos ? 0 : last + 1);
}

bool IsInteger(tensor::DType dtype) {
  using tensor::DType;
  return dtype != DType::kFloat32 && dtype != DType::kFloat64 && dtype != DType::kFloat16 &&
         dtype != DType::kBfloat16 && dtype != DType::kString && dtype != DType::kBool;
}

Status Mismatch(std::string_view token, std::string_view dtype) {
  return {Reason::kDtypeMismatch, Quote(token) + " is not a value of " + std::string(dtype)};
}

}  // namespace

std::optional<double> SpecialFloat(std::string_view text) {
  using Limits = std::numeric_limits<double>;
  if (text == "NaN") return Limits::quiet_NaN();
  if (text == "Infinity") return Limits::infinity();
  if (text == "-Infinity") return -Limits::infinity();
  return std::nullopt;
}

std::optional<double> BareSpecialFloat(std::string_view token) {
  return SpecialFloat(TrimEnd(token));
}

Result<simdjson::ondemand::json_type> TypeOfElement(value& from) {
  simdjson::ondemand::json_type type;
  const auto error = from.type().get(type);
  if (error == simdjson::SUCCESS) return type;
  if (BareSpecialFloat(from.raw_json_token())) return simdjson::ondemand::json_type::number;
  return json::JsonError(error);
}

Status ExplainElement(std::string_view token, tensor::DType dtype) {
  token = TrimEnd(token);
  const std::string_view name = tensor::Name(dtype);
  if (token.starts_with('"') || token.starts_with('{') || token.starts_with('[')) {
    const bool text = token.front() == '"';
    return {Reason::kDtypeMismatch, std::string(text ? "a string" : "an object or array") +
                                        " stands where a value of " + std::string(name) +
                                        " is expected"};
  }
  const bool word = token == "true" || token == "false" || token == "null";
  if (word || SpecialFloat(token)) return Mismatch(token, name);
  if (!json::IsJsonNumber(token)) {
    return {Reason::kMalformedJson, Quote(token) + " is not a JSON value"};
  }
  if (dtype == tensor::DType::kString) return Mismatch(token, name);
  if (IsInteger(dtype) && token.find_first_of(".eE") != std::string_view::npos) {
    return {Reason::kDtypeMismatch,
            Quote(token) + " is not an integer, as " + std::string(name) + " needs"};
  }
  return {Reason::kValueOutOfRange, Quote(token) + " is out of the range of " + std::string(name)};
}

}  // namespace mlos::api::http::tensors
