// SPDX-License-Identifier: MIT
#include "probe/message.h"

#include <rapidjson/document.h>
#include <rapidjson/stringbuffer.h>
#include <rapidjson/writer.h>

#include <optional>

namespace mlos::probe {
namespace {

using Writer = rapidjson::Writer<rapidjson::StringBuffer>;

void Write(Writer& writer, const char* key, std::string_view text) {
  writer.Key(key);
  writer.String(text.data(), static_cast<rapidjson::SizeType>(text.size()));
}

void Write(Writer& writer, const char* key, std::uint64_t number) {
  writer.Key(key);
  writer.Uint64(number);
}

/// A member that is there and a string; empty otherwise.
std::string TextOf(const rapidjson::Document& document, const char* key) {
  const auto member = document.FindMember(key);
  if (member == document.MemberEnd() || !member->value.IsString()) return {};
  return {member->value.GetString(), member->value.GetStringLength()};
}

std::uint64_t NumberOf(const rapidjson::Document& document, const char* key) {
  const auto member = document.FindMember(key);
  return member != document.MemberEnd() && member->value.IsUint64() ? member->value.GetUint64() : 0;
}

Result<rapidjson::Document> Parse(std::string_view text) {
  rapidjson::Document document;
  document.Parse<rapidjson::kParseIterativeFlag>(text.data(), text.size());
  if (document.HasParseError() || !document.IsObject()) {
    return Status(Reason::kInternal, "a message between Core and its probe is not JSON");
  }
  return document;
}

std::optional<Reason> ParseReason(std::string_view name) {
#define MLOS_MATCH_REASON(enumerator, text, code) \
  if (name == (text)) return Reason::enumerator;
  MLOS_REASONS(MLOS_MATCH_REASON)
#undef MLOS_MATCH_REASON
  return std::nullopt;
}

}  // namespace

std::string WriteRequest(const Request& request) {
  rapidjson::StringBuffer buffer;
  Writer writer(buffer);
  writer.StartObject();
  Write(writer, "plugin_path", request.plugin_path.native());
  Write(writer, "plugin_id", request.plugin_id);
  Write(writer, "plugin_config", request.plugin_config);
  Write(writer, "model_id", request.source.model_id);
  Write(writer, "model_path", request.source.path.native());
  Write(writer, "format", request.source.format);
  Write(writer, "digest", request.source.digest);
  Write(writer, "arena_bytes_max", request.arena_bytes_max);
  Write(writer, "memory_bytes_max", request.memory_bytes_max);
  Write(writer, "cpu_seconds_max", static_cast<std::uint64_t>(request.cpu_seconds_max));
  writer.EndObject();
  return {buffer.GetString(), buffer.GetSize()};
}

Result<Request> ReadRequest(std::string_view text) {
  const rapidjson::Document document = MLOS_TRY(Parse(text));
  Request request;
  request.plugin_path = TextOf(document, "plugin_path");
  request.plugin_id = TextOf(document, "plugin_id");
  request.plugin_config = TextOf(document, "plugin_config");
  request.source.model_id = TextOf(document, "model_id");
  request.source.path = TextOf(document, "model_path");
  request.source.format = TextOf(document, "format");
  request.source.digest = TextOf(document, "digest");
  request.arena_bytes_max = NumberOf(document, "arena_bytes_max");
  request.memory_bytes_max = NumberOf(document, "memory_bytes_max");
  request.cpu_seconds_max = static_cast<std::int64_t>(NumberOf(document, "cpu_seconds_max"));
  return request;
}

std::string WriteReport(const Status& status) {
  rapidjson::StringBuffer buffer;
  Writer writer(buffer);
  writer.StartObject();
  Write(writer, "reason", status.ok() ? std::string_view("OK") : ToString(status.reason()));
  Write(writer, "message", status.message());
  Write(writer, "field", status.field());
  writer.EndObject();
  return {buffer.GetString(), buffer.GetSize()};
}

Result<Report> ReadReport(std::string_view text) {
  const rapidjson::Document document = MLOS_TRY(Parse(text));
  const std::string name = TextOf(document, "reason");
  if (name == "OK") return Report{};
  const std::optional<Reason> reason = ParseReason(name);
  if (!reason.has_value()) {
    return Status(Reason::kInternal, "the probe answered with an unknown reason");
  }
  return Report{Status(*reason, TextOf(document, "message")).WithField(TextOf(document, "field"))};
}

}  // namespace mlos::probe
