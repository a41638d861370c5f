// SPDX-License-Identifier: MIT
#include "api/http/openapi/openapi.h"

#include <rapidjson/stringbuffer.h>
#include <rapidjson/writer.h>

#include <string>

#include "base/check.h"
#include "settings/table.h"

namespace mlos::api::http::openapi {
namespace {

using JsonWriter = rapidjson::Writer<rapidjson::StringBuffer>;
using settings::Integer;
using settings::JsonObject;
using settings::Setting;
using settings::TextMap;

/// Whether a caller gives the settings, who may leave a value out as null and is told its bounds,
/// or an answer has them.
enum class Side : std::uint8_t { kAsked, kShown };

/// Writes the schema of each setting.
class SchemaWriter {
 public:
  SchemaWriter(JsonWriter& writer, Side side) : writer_(writer), side_(side) {}

  void operator()(const Setting& setting, const Integer& /*value*/) const {
    Start(setting, "integer");
    Key("minimum");
    writer_.Int64(setting.range.min);
    Key("maximum");
    writer_.Int64(setting.range.max);
    writer_.EndObject();
  }
  void operator()(const Setting& setting, const TextMap& /*value*/) const {
    Start(setting, "object");
    Key("additionalProperties");
    writer_.StartObject();
    Key("type");
    Text("string");
    writer_.EndObject();
    writer_.EndObject();
  }

  void operator()(const Setting& setting, const JsonObject& /*value*/) const {
    Start(setting, "object");
    writer_.EndObject();
  }

 private:
  void Start(const Setting& setting, std::string_view type) const {
    Key(setting.name);
    writer_.StartObject();
    Key("type");
    if (side_ == Side::kAsked) {
      writer_.StartArray();
      Text(type);
      Text("null");
      writer_.EndArray();
    } else {
      Text(type);
    }
    Key("description");
    Text(setting.meaning);
  }
  void Key(std::string_view name) const { Text(name); }
  void Text(std::string_view text) const {
    writer_.String(text.data(), static_cast<rapidjson::SizeType>(text.size()));
  }

  JsonWriter& writer_;
  const Side side_;
};

/// The members of an object, without its braces.
std::string Properties(Side side) {
  rapidjson::StringBuffer buffer;
  JsonWriter writer(buffer);
  writer.StartObject();
  const settings::ModelSettings none;
  settings::ForEach(none, SchemaWriter(writer, side));
  writer.EndObject();
  const std::string_view text(buffer.GetString(), buffer.GetSize());
  return std::string(text.substr(1, text.size() - 2));
}

void Replace(std::string& text, std::string_view mark, std::string_view with) {
  const std::size_t at = text.find(mark);
  MLOS_CHECK(at != std::string::npos, "openapi.json has its marks");
  text.replace(at, mark.size(), with);
}

std::string MakeDocument() {
  std::string text(Template());
  Replace(text, R"("$settings": "asked")", Properties(Side::kAsked));
  Replace(text, R"("$settings": "shown")", Properties(Side::kShown));
  return text;
}

}  // namespace

std::string_view DocumentText() {
  static const std::string text = MakeDocument();
  return text;
}

}  // namespace mlos::api::http::openapi
