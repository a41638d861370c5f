// SPDX-License-Identifier: MIT
#include "package/yaml/json.h"

#include <rapidjson/stringbuffer.h>
#include <rapidjson/writer.h>

#include <algorithm>
#include <string_view>

namespace mlos::package::yaml {
namespace {

using JsonWriter = rapidjson::Writer<rapidjson::StringBuffer>;

/// Takes the digits that `text` begins with; how many there were.
std::size_t TakeDigits(std::string_view& text) {
  const auto end =
      std::find_if_not(text.begin(), text.end(), [](char c) { return c >= '0' && c <= '9'; });
  const auto count = static_cast<std::size_t>(end - text.begin());
  text.remove_prefix(count);
  return count;
}

bool Take(std::string_view& text, std::string_view any_of) {
  if (text.empty() || any_of.find(text.front()) == any_of.npos) return false;
  text.remove_prefix(1);
  return true;
}

/// RFC 8259, section 6.
bool IsNumber(std::string_view text) {
  Take(text, "-");
  const bool zero = text.starts_with('0');
  const std::size_t digits = TakeDigits(text);
  if (digits == 0 || (zero && digits > 1)) return false;
  if (Take(text, ".") && TakeDigits(text) == 0) return false;
  if (Take(text, "eE")) {
    Take(text, "+-");
    if (TakeDigits(text) == 0) return false;
  }
  return text.empty();
}

void WriteText(JsonWriter& writer, std::string_view text) {
  writer.String(text.data(), static_cast<rapidjson::SizeType>(text.size()));
}

void WriteScalar(JsonWriter& writer, const Node& node) {
  if (node.quoted) return WriteText(writer, node.text);
  if (IsNumber(node.text) || node.text == "true" || node.text == "false") {
    writer.RawValue(node.text.data(), node.text.size(), rapidjson::kNumberType);
    return;
  }
  WriteText(writer, node.text);
}

// As deep as Limits::depth_max at most.
void WriteNode(JsonWriter& writer, const Node& node) {
  switch (node.kind) {
    case Node::Kind::kNull:
      writer.Null();
      return;
    case Node::Kind::kScalar:
      return WriteScalar(writer, node);
    case Node::Kind::kSequence:
      writer.StartArray();
      for (const Node& item : node.items) WriteNode(writer, item);
      writer.EndArray();
      return;
    case Node::Kind::kMap:
      writer.StartObject();
      for (std::size_t i = 0; i < node.items.size(); ++i) {
        WriteText(writer, node.keys[i]);
        WriteNode(writer, node.items[i]);
      }
      writer.EndObject();
      return;
  }
}

}  // namespace

std::string ToJson(const Node& node) {
  rapidjson::StringBuffer buffer;
  JsonWriter writer(buffer);
  WriteNode(writer, node);
  return {buffer.GetString(), buffer.GetSize()};
}

}  // namespace mlos::package::yaml
