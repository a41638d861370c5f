// SPDX-License-Identifier: MIT
#include "api/http/oip/messages/json_value.h"

#include <algorithm>
#include <utility>

namespace mlos::api::http::oip::messages {
namespace {

using simdjson::ondemand::json_type;

// Objects of requests have a handful of members; more only make us compare names.
constexpr std::size_t kMembersMax = 256;

Status Wrong(std::string_view field, std::string_view wanted) {
  return Status(Reason::kInvalidField, std::string(field) + " is not " + std::string(wanted))
      .WithField(field);
}

Result<json_type> TypeOf(value& from) {
  json_type type;
  if (const auto error = from.type().get(type)) return json::JsonError(error);
  return type;
}

Status ReadNumber(value& from, std::string_view field, Parameter& parameter) {
  simdjson::ondemand::number number;
  if (const auto error = from.get_number().get(number)) {
    if (error == simdjson::NUMBER_ERROR) return Wrong(field, "a number that fits 64 bits");
    return json::JsonError(error);
  }
  const bool integer = number.is_int64();
  parameter.kind = integer ? Parameter::Kind::kInteger : Parameter::Kind::kNumber;
  if (integer) parameter.integer = number.get_int64();
  if (number.is_uint64()) {
    parameter.kind = Parameter::Kind::kLargeInteger;
    parameter.text = std::to_string(number.get_uint64());
  }
  return OkStatus();
}

template <typename Container>
Status SkipEach(Container& container, std::size_t depth) {
  for (auto item : container) {
    value inner;
    if constexpr (std::is_same_v<Container, simdjson::ondemand::object>) {
      MLOS_TRY(ReadKey(item));
      if (const auto error = item.value().get(inner)) return json::JsonError(error);
    } else {
      if (const auto error = item.get(inner)) return json::JsonError(error);
    }
    MLOS_TRY(SkipValue(inner, depth + 1));
  }
  return OkStatus();
}

Status SkipScalar(value& from, json_type type) {
  Parameter ignored;
  std::string_view text;
  bool flag = false;
  switch (type) {
    case json_type::string:
      if (const auto error = from.get_string().get(text)) return json::JsonError(error);
      return OkStatus();
    case json_type::boolean:
      if (const auto error = from.get_bool().get(flag)) return json::JsonError(error);
      return OkStatus();
    case json_type::null:
      return TakeNull(from).status();
    default:
      return ReadNumber(from, "a member", ignored);
  }
}

}  // namespace

std::string Dotted(std::string_view outer, std::string_view inner) {
  std::string name(outer);
  if (!name.empty()) name += '.';
  return name.append(inner);
}

Result<std::string> ReadText(value from, std::string_view field) {
  if (MLOS_TRY(TypeOf(from)) != json_type::string) return Wrong(field, "a string");
  std::string_view text;
  if (const auto error = from.get_string().get(text)) return json::JsonError(error);
  return std::string(text);
}

Result<Parameter> ReadParameter(value from, std::string_view field) {
  Parameter parameter;
  switch (MLOS_TRY(TypeOf(from))) {
    case json_type::string:
      parameter.text = MLOS_TRY(ReadText(from, field));
      break;
    case json_type::boolean:
      parameter.kind = Parameter::Kind::kFlag;
      if (const auto error = from.get_bool().get(parameter.flag)) return json::JsonError(error);
      break;
    case json_type::number:
      MLOS_TRY(ReadNumber(from, field, parameter));
      break;
    default:
      return Wrong(field, "a string, a boolean or a number");
  }
  return parameter;
}

Result<bool> FlagOf(const Parameter& parameter, std::string_view field) {
  if (parameter.kind != Parameter::Kind::kFlag) return Wrong(field, "true or false");
  return parameter.flag;
}

Result<std::int64_t> CountOf(const Parameter& parameter, std::string_view field) {
  if (parameter.kind != Parameter::Kind::kInteger || parameter.integer < 0) {
    return Wrong(field, "an integer of 0 or more");
  }
  return parameter.integer;
}

Result<std::string> IdOf(const Parameter& parameter, std::string_view field) {
  using Kind = Parameter::Kind;
  if (parameter.kind == Kind::kText || parameter.kind == Kind::kLargeInteger) return parameter.text;
  if (parameter.kind == Kind::kInteger && parameter.integer >= 0) {
    return std::to_string(parameter.integer);
  }
  return Wrong(field, "a string or an integer of 0 or more");
}

Result<simdjson::ondemand::array> ReadArray(value from, std::string_view field) {
  if (MLOS_TRY(TypeOf(from)) != json_type::array) return Wrong(field, "an array");
  simdjson::ondemand::array array;
  if (const auto error = from.get_array().get(array)) return json::JsonError(error);
  return array;
}

Result<simdjson::ondemand::object> ReadObject(value from, std::string_view field) {
  if (MLOS_TRY(TypeOf(from)) != json_type::object) return Wrong(field, "an object");
  simdjson::ondemand::object object;
  if (const auto error = from.get_object().get(object)) return json::JsonError(error);
  return object;
}

Result<bool> TakeNull(value& from) {
  if (MLOS_TRY(TypeOf(from)) != json_type::null) return false;
  bool null = false;
  if (const auto error = from.is_null().get(null)) return json::JsonError(error);
  if (!null) return json::JsonError(simdjson::N_ATOM_ERROR);
  return true;
}

Status SkipValue(value from, std::size_t depth) {
  if (depth >= json::kDepthMax) return json::JsonError(simdjson::DEPTH_ERROR);
  const json_type type = MLOS_TRY(TypeOf(from));
  if (type == json_type::array) {
    simdjson::ondemand::array array;
    if (const auto error = from.get_array().get(array)) return json::JsonError(error);
    return SkipEach(array, depth);
  }
  if (type == json_type::object) {
    simdjson::ondemand::object object;
    if (const auto error = from.get_object().get(object)) return json::JsonError(error);
    return SkipEach(object, depth);
  }
  return SkipScalar(from, type);
}

Status Members::Add(const std::string& name, std::string_view prefix) {
  const std::string field = Dotted(prefix, name);
  if (std::find(names_.begin(), names_.end(), name) != names_.end()) {
    return Status(Reason::kInvalidField, "the member " + json::Quote(field) + " is there twice")
        .WithField(field);
  }
  if (names_.size() == kMembersMax) {
    return Status(Reason::kInvalidField,
                  "an object has more than " + std::to_string(kMembersMax) + " members")
        .WithField(prefix);
  }
  names_.push_back(name);
  return OkStatus();
}

}  // namespace mlos::api::http::oip::messages
