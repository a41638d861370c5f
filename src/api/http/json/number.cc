// SPDX-License-Identifier: MIT
#include "api/http/json/number.h"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <string>

#include "api/http/json/json_error.h"

namespace mlos::api::http::json {
namespace {

bool IsDigit(char c) { return c >= '0' && c <= '9'; }

/// Removes the digits at the front of `text`; false where there are none.
bool SkipDigits(std::string_view& text) {
  const auto end = std::find_if_not(text.begin(), text.end(), IsDigit);
  const auto count = static_cast<std::size_t>(end - text.begin());
  text.remove_prefix(count);
  return count != 0;
}

bool Skip(std::string_view& text, std::string_view any_of) {
  if (text.empty() || any_of.find(text.front()) == std::string_view::npos) return false;
  text.remove_prefix(1);
  return true;
}

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

bool IsJsonNumber(std::string_view text) {
  Skip(text, "-");
  const bool starts_with_zero = text.starts_with('0');
  const std::size_t length = text.size();
  if (!SkipDigits(text)) return false;
  if (starts_with_zero && length - text.size() > 1) return false;
  if (Skip(text, ".") && !SkipDigits(text)) return false;
  if (Skip(text, "eE")) {
    Skip(text, "+-");
    if (!SkipDigits(text)) return false;
  }
  return text.empty();
}

bool RoundCarefully(double number, std::string_view token, float& out) {
  out = static_cast<float>(number);
  if (number == 0) return true;
  const auto parsed = std::from_chars(token.data(), token.data() + token.size(), out);
  if (parsed.ec != std::errc::result_out_of_range) return parsed.ec == std::errc();
  // Too large, or so small that zero or the smallest float is the nearest.
  out = static_cast<float>(number);
  return std::abs(number) < 1;
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
  if (token == "true" || token == "false" || token == "null") return Mismatch(token, name);
  if (!IsJsonNumber(token)) {
    return {Reason::kMalformedJson, Quote(token) + " is not a JSON value"};
  }
  if (dtype == tensor::DType::kString) return Mismatch(token, name);
  if (IsInteger(dtype) && token.find_first_of(".eE") != std::string_view::npos) {
    return {Reason::kDtypeMismatch,
            Quote(token) + " is not an integer, as " + std::string(name) + " needs"};
  }
  return {Reason::kValueOutOfRange, Quote(token) + " is out of the range of " + std::string(name)};
}

}  // namespace mlos::api::http::json
