// SPDX-License-Identifier: MIT
#pragma once

#include <simdjson.h>

#include <cstdint>
#include <initializer_list>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "json/json_error.h"

// Single members of a request, each with the name under which an error tells of it.
namespace mlos::api::http::oip::messages {

using simdjson::ondemand::value;

/// A scalar of a `parameters` object.
struct Parameter {
  /// A large integer is one beyond `integer`; its digits are `text`.
  enum class Kind : std::uint8_t { kText, kFlag, kInteger, kLargeInteger, kNumber };
  Kind kind = Kind::kText;
  std::string text;
  bool flag = false;
  std::int64_t integer = 0;
};

/// INVALID_FIELD unless it is a string.
Result<std::string> ReadText(value from, std::string_view field);
/// INVALID_FIELD unless it is a string, a boolean or a number.
Result<Parameter> ReadParameter(value from, std::string_view field);
/// INVALID_FIELD for anything but true and false.
Result<bool> FlagOf(const Parameter& parameter, std::string_view field);
/// INVALID_FIELD for anything but an integer of 0 or more.
Result<std::int64_t> CountOf(const Parameter& parameter, std::string_view field);
/// A name given as text or as an integer of 0 or more, of up to 64 bits. INVALID_FIELD for anything
/// else.
Result<std::string> IdOf(const Parameter& parameter, std::string_view field);
/// INVALID_FIELD unless it is an array or object, respectively.
Result<simdjson::ondemand::array> ReadArray(value from, std::string_view field);
Result<simdjson::ondemand::object> ReadObject(value from, std::string_view field);
/// Takes a null, which stands for an optional member that is missing; false if it is anything else.
/// MALFORMED_JSON.
Result<bool> TakeNull(value& from);
/// Reads what nobody asks for, so that it is well-formed like the rest. `depth` counts what is
/// around it. MALFORMED_JSON, NESTING_TOO_DEEP.
Status SkipValue(value from, std::size_t depth);

/// The name of the member; errors as `simdjson`.
template <typename Member>
Result<std::string> ReadKey(Member& member) {
  std::string_view key;
  if (const auto error = member.unescaped_key().get(key)) return json::JsonError(error);
  return std::string(key);
}

/// The members an object has had so far, so that none comes twice. Thread-compatible.
class Members {
 public:
  /// INVALID_FIELD with field `prefix` + `name` where it was there before.
  Status Add(const std::string& name, std::string_view prefix = {});

 private:
  std::vector<std::string> names_;
};

/// "a.b", or "b" where `outer` is empty.
std::string Dotted(std::string_view outer, std::string_view inner);

/// Calls `take(key, item)`, which may fail, for each member of `object`, whose own name is `field`.
/// One that is null counts as missing unless `required(key)`. INVALID_FIELD if a member comes
/// twice.
template <typename Required, typename Take>
Status ReadMembers(simdjson::ondemand::object& object, std::string_view field, Required required,
                   Take take) {
  Members members;
  for (auto member : object) {
    const std::string key = MLOS_TRY(ReadKey(member));
    value item;
    if (const auto error = member.value().get(item)) return json::JsonError(error);
    MLOS_TRY(members.Add(key, field));
    if (!required(key) && MLOS_TRY(TakeNull(item))) continue;
    MLOS_TRY(take(key, item));
  }
  return OkStatus();
}

/// Calls `take(key, parameter, name)`, which may fail, for each parameter in `from`; `name` is
/// `field` + `key`.
template <typename Take>
Status ReadParameters(value from, std::string_view field, Take take) {
  simdjson::ondemand::object parameters = MLOS_TRY(ReadObject(from, field));
  const auto none = [](std::string_view) { return false; };
  return ReadMembers(parameters, field, none, [&](const std::string& key, value item) -> Status {
    const std::string name = Dotted(field, key);
    return take(key, MLOS_TRY(ReadParameter(item, name)), name);
  });
}

}  // namespace mlos::api::http::oip::messages
