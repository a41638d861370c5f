// SPDX-License-Identifier: MIT
#pragma once

#include <string_view>
#include <vector>

#include "base/result.h"
#include "catalog/plugin_info.h"
#include "json/document.h"
#include "json/json_writer.h"

// What the doors that speak JSON read and write of plugins; see model_document.h.
namespace mlos::api::document {

using json::JsonWriter;

/// MISSING_FIELD or INVALID_FIELD, with the member as field.
Result<catalog::RegisterPluginRequest> ReadPluginRequest(const json::Document& document);

void WritePlugin(JsonWriter& writer, const catalog::PluginInfo& plugin);
void WritePlugins(JsonWriter& writer, const std::vector<catalog::PluginInfo>& plugins);
void WritePluginRegistered(JsonWriter& writer, const catalog::PluginInfo& plugin);
void WritePluginRemoved(JsonWriter& writer, std::string_view plugin_id);

}  // namespace mlos::api::document
