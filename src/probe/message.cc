// SPDX-License-Identifier: MIT
#include "probe/message.h"

#include <rapidjson/stringbuffer.h>
#include <rapidjson/writer.h>
#include <simdjson.h>

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

/// A message that was received. Members that are not there, or of another type, read as empty.
class Object {
 public:
  /// INTERNAL for text that is no JSON object.
  Status Parse(std::string_view text) {
    if (parser_.parse(text.data(), text.size()).get(object_) == simdjson::SUCCESS) {
      return OkStatus();
    }
    return {Reason::kInternal, "a message between Core and its probe is not JSON"};
  }
  std::string Text(std::string_view key) const {
    std::string_view text;
    return object_[key].get(text) == simdjson::SUCCESS ? std::string(text) : std::string();
  }
  std::uint64_t Number(std::string_view key) const {
    std::uint64_t number = 0;
    return object_[key].get(number) == simdjson::SUCCESS ? number : 0;
  }

 private:
  simdjson::dom::parser parser_;
  simdjson::dom::object object_;
};

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
  Write(writer, "options", request.source.options);
  Write(writer, "arena_bytes_max", request.arena_bytes_max);
  Write(writer, "memory_bytes_max", request.memory_bytes_max);
  Write(writer, "cpu_seconds_max", static_cast<std::uint64_t>(request.cpu_seconds_max));
  writer.EndObject();
  return {buffer.GetString(), buffer.GetSize()};
}

Result<Request> ReadRequest(std::string_view text) {
  Object object;
  MLOS_TRY(object.Parse(text));
  Request request;
  request.plugin_path = object.Text("plugin_path");
  request.plugin_id = object.Text("plugin_id");
  request.plugin_config = object.Text("plugin_config");
  request.source.model_id = object.Text("model_id");
  request.source.path = object.Text("model_path");
  request.source.format = object.Text("format");
  request.source.digest = object.Text("digest");
  request.source.options = object.Text("options");
  request.arena_bytes_max = object.Number("arena_bytes_max");
  request.memory_bytes_max = object.Number("memory_bytes_max");
  request.cpu_seconds_max = static_cast<std::int64_t>(object.Number("cpu_seconds_max"));
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
  Object object;
  MLOS_TRY(object.Parse(text));
  const std::string name = object.Text("reason");
  if (name == "OK") return Report{};
  const std::optional<Reason> reason = ParseReason(name);
  if (!reason.has_value()) {
    return Status(Reason::kInternal, "the probe answered with an unknown reason");
  }
  return Report{Status(*reason, object.Text("message")).WithField(object.Text("field"))};
}

}  // namespace mlos::probe
