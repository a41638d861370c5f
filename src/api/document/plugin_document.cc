// SPDX-License-Identifier: MIT
#include "api/document/plugin_document.h"

#include <string>

#include "api/document/error_document.h"

namespace mlos::api::document {
namespace {

using catalog::PluginInfo;

void WriteTexts(JsonWriter& writer, std::string_view key, const std::vector<std::string>& texts) {
  writer.Key(key);
  writer.StartArray();
  for (const std::string& text : texts) writer.Text(text);
  writer.EndArray();
}

}  // namespace

Result<catalog::RegisterPluginRequest> ReadPluginRequest(const json::Document& document) {
  catalog::RegisterPluginRequest request;
  request.id = MLOS_TRY(document.Text("id"));
  request.name = MLOS_TRY(document.Text("name"));
  request.version = MLOS_TRY(document.Text("version"));
  request.path = MLOS_TRY(document.Text("path"));
  request.config = MLOS_TRY(document.Object("config"));
  if (request.id.empty()) {
    return Status(Reason::kMissingField, "id is required: the name of the plugin").WithField("id");
  }
  return request;
}

void WritePlugin(JsonWriter& writer, const PluginInfo& plugin) {
  writer.Text("id", plugin.id);
  writer.Text("name", plugin.name);
  writer.Text("version", plugin.version);
  writer.Text("status", ToString(plugin.state));
  writer.Text("health", ToString(plugin.health));
  writer.Text("path", plugin.path);
  writer.Flag("builtin", plugin.builtin);
  WriteTexts(writer, "formats", plugin.formats);
  WriteTexts(writer, "models", plugin.model_ids);
  writer.Count("arena_bytes", plugin.memory.arena_bytes);
  writer.Count("weight_bytes", plugin.memory.weight_bytes);
  if (plugin.error.ok()) return;
  writer.Key("error");
  writer.StartObject();
  WriteErrorMembers(writer, plugin.error);
  writer.EndObject();
}

void WritePlugins(JsonWriter& writer, const std::vector<PluginInfo>& plugins) {
  writer.Text("status", "success");
  writer.Key("plugins");
  writer.StartArray();
  for (const PluginInfo& plugin : plugins) {
    writer.StartObject();
    WritePlugin(writer, plugin);
    writer.EndObject();
  }
  writer.EndArray();
  writer.Count("total", plugins.size());
}

void WritePluginRegistered(JsonWriter& writer, const PluginInfo& plugin) {
  writer.Text("status", "success");
  writer.Text("plugin_id", plugin.id);
  writer.Text("message", "Plugin registered successfully");
  writer.Text("state", ToString(plugin.state));
  writer.Text("next_steps", plugin.state == catalog::PluginState::kLoaded
                                ? "Register models that name this plugin_id"
                                : "Register the plugin again with the path of its shared object");
}

void WritePluginRemoved(JsonWriter& writer, std::string_view plugin_id) {
  writer.Text("status", "success");
  writer.Text("plugin_id", plugin_id);
  writer.Text("message", "Plugin removed");
}

}  // namespace mlos::api::document
