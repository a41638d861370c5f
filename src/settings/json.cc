// SPDX-License-Identifier: MIT
#include "settings/json.h"

#include <rapidjson/stringbuffer.h>
#include <rapidjson/writer.h>

#include <cmath>

#include "settings/table.h"

namespace mlos::settings {
namespace {

using simdjson::dom::element;
using JsonWriter = rapidjson::Writer<rapidjson::StringBuffer>;

Status WrongType(std::string_view name, std::string_view wanted) {
  return Status(Reason::kInvalidField, std::string(name) + " is not " + std::string(wanted))
      .WithField(name);
}

/// 2.0 is a whole number too (JSON Schema, 6.1.1).
Integer WholeNumber(const element& value) {
  std::int64_t number = 0;
  if (value.get(number) == simdjson::SUCCESS) return number;
  constexpr double kExactMax = 9007199254740992;  // 2^53
  double real = 0;
  if (value.get(real) != simdjson::SUCCESS) return {};
  if (std::trunc(real) != real || std::abs(real) > kExactMax) return {};
  return static_cast<std::int64_t>(real);
}

/// Reads the value of each row from its member.
class MemberReader {
 public:
  explicit MemberReader(const simdjson::dom::object& object) : object_(object) {}

  Status operator()(const Setting& setting, Integer& value) const {
    const std::optional<element> found = Find(setting);
    if (!found) return OkStatus();
    value = WholeNumber(*found);
    return value ? OkStatus() : WrongType(setting.name, "a whole number");
  }

  Status operator()(const Setting& setting, TextMap& value) const {
    constexpr std::string_view kWanted = "an object of different names to strings";
    const std::optional<element> found = Find(setting);
    if (!found) return OkStatus();
    simdjson::dom::object members;
    if (found->get(members) != simdjson::SUCCESS) return WrongType(setting.name, kWanted);
    for (const auto member : members) {
      std::string_view text;
      if (member.value.get(text) != simdjson::SUCCESS || !value.emplace(member.key, text).second) {
        return WrongType(setting.name, kWanted);
      }
    }
    return OkStatus();
  }

  Status operator()(const Setting& setting, JsonObject& value) const {
    const std::optional<element> found = Find(setting);
    if (!found) return OkStatus();
    if (!found->is_object()) return WrongType(setting.name, "an object");
    value.text = simdjson::minify(*found);
    return OkStatus();
  }

 private:
  std::optional<element> Find(const Setting& setting) const {
    element found;
    if (object_[setting.name].get(found) != simdjson::SUCCESS || found.is_null()) return {};
    return found;
  }

  const simdjson::dom::object& object_;
};

class MemberWriter {
 public:
  explicit MemberWriter(JsonWriter& writer) : writer_(writer) {}

  void operator()(const Setting& setting, const Integer& value) const {
    if (!value) return;
    Text(setting.name);
    writer_.Int64(*value);
  }
  void operator()(const Setting& setting, const TextMap& value) const {
    if (value.empty()) return;
    Text(setting.name);
    writer_.StartObject();
    for (const auto& [key, text] : value) {
      Text(key);
      Text(text);
    }
    writer_.EndObject();
  }
  void operator()(const Setting& setting, const JsonObject& value) const {
    if (value.text.empty()) return;
    Text(setting.name);
    writer_.RawValue(value.text.data(), value.text.size(), rapidjson::kObjectType);
  }

 private:
  // RapidJSON writes a key as it does a string.
  void Text(std::string_view text) const {
    writer_.String(text.data(), static_cast<rapidjson::SizeType>(text.size()));
  }

  JsonWriter& writer_;
};

}  // namespace

Result<ModelSettings> ReadSettings(const simdjson::dom::object& object) {
  ModelSettings settings;
  MLOS_TRY(TryEach(settings, MemberReader(object)));
  return settings;
}

Result<ModelSettings> ParseSettings(std::string_view text) {
  simdjson::dom::parser parser;
  simdjson::dom::object object;
  if (parser.parse(text.data(), text.size()).get(object) != simdjson::SUCCESS) {
    return Status(Reason::kMalformedJson, "the settings are not a JSON object");
  }
  return ReadSettings(object);
}

std::string ToJson(const ModelSettings& settings) {
  rapidjson::StringBuffer buffer;
  JsonWriter writer(buffer);
  writer.StartObject();
  ForEach(settings, MemberWriter(writer));
  writer.EndObject();
  return {buffer.GetString(), buffer.GetSize()};
}

}  // namespace mlos::settings
