// SPDX-License-Identifier: MIT
#include "catalog/requests.h"

#include <initializer_list>
#include <string_view>
#include <utility>
#include <vector>

#include "base/clock.h"
#include "base/text.h"
#include "settings/table.h"

namespace mlos::catalog {
namespace {

constexpr std::size_t kTextBytesMax = 256;
constexpr std::size_t kDescriptionBytesMax = std::size_t{16} << 10;
constexpr std::size_t kConfigBytesMax = std::size_t{64} << 10;

std::string FirstOf(std::initializer_list<std::string_view> texts) {
  for (const std::string_view text : texts) {
    if (!text.empty()) return std::string(text);
  }
  return {};
}

Status CheckText(std::string_view field, std::string_view text, std::size_t bytes_max) {
  if (text.size() <= bytes_max && IsValidUtf8(text)) return OkStatus();
  return Status(Reason::kInvalidField, std::string(field) + " has at most " +
                                           std::to_string(bytes_max) + " bytes of UTF-8 text")
      .WithField(field);
}

}  // namespace

Status CheckModelRequest(const RegisterModelRequest& request) {
  const std::pair<std::string_view, std::string_view> texts[] = {
      {"name", request.name},
      {"framework", request.framework},
      {"execution_format", request.execution_format},
      {"plugin_id", request.plugin_id},
  };
  for (const auto& [field, text] : texts) MLOS_TRY(CheckText(field, text, kTextBytesMax));
  MLOS_TRY(settings::Check(request.settings));
  return CheckText("description", request.description, kDescriptionBytesMax);
}

registry::ModelRecord RecordOf(const ModelId& id, const RegisterModelRequest& request,
                               const FoundModel& found, const std::string& plugin_id) {
  const package::Manifest manifest = found.files.manifest.value_or(package::Manifest());
  registry::ModelRecord record;
  record.model_id = id.text();
  record.name = FirstOf({request.name, manifest.metadata.name, id.name()});
  record.version = FirstOf({manifest.metadata.version, id.version(), "1"});
  record.framework =
      FirstOf({request.framework, manifest.framework.name, found.files.execution_format});
  record.execution_format = found.files.execution_format;
  record.description = FirstOf({request.description, manifest.metadata.description});
  record.path = found.path;
  record.served_path = found.served_path;
  record.manifest_path = found.manifest_path;
  record.plugin_id = plugin_id;
  record.digest = found.files.digest.ToString();
  record.verified = found.files.verified();
  record.autoload = request.autoload;
  record.settings = settings::Merge(request.settings, manifest.serving);
  record.registered_at = UnixSecondsNow();
  return record;
}

engine::ModelSchema SchemaOf(const package::ModelFiles& files) {
  if (!files.facts.has_schema) return {.declared = false};
  return {.inputs = files.facts.inputs, .outputs = files.facts.outputs};
}

Status CheckPluginRequest(const RegisterPluginRequest& request) {
  if (request.id.empty()) return Status(Reason::kMissingField, "id is required").WithField("id");
  // A plugin's id is as plain as a segment of a model's.
  if (!IsModelIdSegment(request.id)) {
    return Status(Reason::kInvalidField,
                  "the id of a plugin starts with a letter or digit and goes on with up to 127 "
                  "letters, digits, '.', '_' or '-'")
        .WithField("id");
  }
  MLOS_TRY(CheckText("name", request.name, kTextBytesMax));
  MLOS_TRY(CheckText("version", request.version, kTextBytesMax));
  return CheckText("config", request.config, kConfigBytesMax);
}

registry::PluginRecord MergedRecord(const RegisterPluginRequest& request,
                                    const registry::PluginRecord& existing) {
  return {
      .plugin_id = request.id,
      .name = FirstOf({request.name, existing.name}),
      .version = FirstOf({request.version, existing.version}),
      .path = FirstOf({request.path, existing.path}),
      .config = FirstOf({request.config, existing.config}),
      .registered_at = UnixSecondsNow(),
  };
}

bool SameContent(const registry::ModelRecord& a, const registry::ModelRecord& b) {
  registry::ModelRecord other = b;
  other.registered_at = a.registered_at;
  other.quarantined = a.quarantined;
  return a == other;
}

bool SameContent(const registry::PluginRecord& a, const registry::PluginRecord& b) {
  return a.name == b.name && a.version == b.version && a.path == b.path && a.config == b.config;
}

}  // namespace mlos::catalog
