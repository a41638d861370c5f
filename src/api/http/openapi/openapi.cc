// SPDX-License-Identifier: MIT
#include "api/http/openapi/openapi.h"

#include <string>

#include "base/check.h"
#include "json/json_writer.h"
#include "net/byte_buffer.h"
#include "settings/table.h"

namespace mlos::api::http::openapi {
namespace {

using json::JsonWriter;
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
    writer_.Integer("minimum", setting.range.min);
    writer_.Integer("maximum", setting.range.max);
    writer_.EndObject();
  }
  void operator()(const Setting& setting, const TextMap& /*value*/) const {
    Start(setting, "object");
    writer_.Key("additionalProperties");
    writer_.StartObject();
    writer_.Text("type", "string");
    writer_.EndObject();
    writer_.EndObject();
  }

  void operator()(const Setting& setting, const JsonObject& /*value*/) const {
    Start(setting, "object");
    writer_.EndObject();
  }

 private:
  void Start(const Setting& setting, std::string_view type) const {
    writer_.Key(setting.name);
    writer_.StartObject();
    writer_.Key("type");
    if (side_ == Side::kAsked) {
      writer_.StartArray();
      writer_.Text(type);
      writer_.Text("null");
      writer_.EndArray();
    } else {
      writer_.Text(type);
    }
    writer_.Text("description", setting.meaning);
  }

  JsonWriter& writer_;
  const Side side_;
};

/// The members of an object, without its braces.
std::string Properties(Side side) {
  net::ByteBuffer buffer;
  JsonWriter writer(buffer);
  writer.StartObject();
  const settings::ModelSettings none;
  settings::ForEach(none, SchemaWriter(writer, side));
  writer.EndObject();
  MLOS_CHECK(buffer.status().ok(), "there is memory for the settings");
  const std::string_view text = buffer.view();
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
