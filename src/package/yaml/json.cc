// SPDX-License-Identifier: MIT
#include "package/yaml/json.h"

#include <rapidjson/memorystream.h>
#include <rapidjson/reader.h>
#include <rapidjson/stringbuffer.h>
#include <rapidjson/writer.h>

#include <string_view>

namespace mlos::package::yaml {
namespace {

using JsonWriter = rapidjson::Writer<rapidjson::StringBuffer>;

/// Takes a number of any size, true or false, and nothing else.
struct LiteralHandler : rapidjson::BaseReaderHandler<rapidjson::UTF8<>, LiteralHandler> {
  bool RawNumber(const char* /*text*/, rapidjson::SizeType /*size*/, bool /*copy*/) { return true; }
  bool Bool(bool /*value*/) { return true; }
  bool Default() { return false; }
};

bool IsLiteral(std::string_view text) {
  rapidjson::MemoryStream stream(text.data(), text.size());
  rapidjson::Reader reader;
  LiteralHandler handler;
  const auto result = reader.Parse<rapidjson::kParseNumbersAsStringsFlag>(stream, handler);
  // One that no double can hold is a number still, for others to refuse.
  return !result.IsError() || result.Code() == rapidjson::kParseErrorNumberTooBig;
}

void WriteText(JsonWriter& writer, std::string_view text) {
  writer.String(text.data(), static_cast<rapidjson::SizeType>(text.size()));
}

void WriteScalar(JsonWriter& writer, const Node& node) {
  if (node.quoted) return WriteText(writer, node.text);
  if (IsLiteral(node.text)) {
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
