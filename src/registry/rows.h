// SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "registry/disk/sqlite.h"
#include "registry/records.h"

// The columns of each table in the order in which a row's seal covers them.
#define MLOS_MODEL_COLUMNS                                                           \
  "model_id, name, version, framework, execution_format, description, path, "        \
  "served_path, manifest_path, plugin_id, digest, verified, autoload, quarantined, " \
  "registered_at, settings"
#define MLOS_PLUGIN_COLUMNS "plugin_id, name, version, path, config, quarantined, registered_at"
#define MLOS_LOADING_COLUMNS "kind, id, content, boot"
#define MLOS_TRIAL_COLUMNS "digest, plugin_id, plugin_version, passed, message"

namespace mlos::registry {

/// The rows of models and plugins in one file. Every function that changes something runs inside a
/// transaction, which AdvanceSeal ends.

/// In the order of their ids.
Result<std::vector<ModelRecord>> ReadModels(disk::Database& database);
/// Adds or replaces a model.
Status PutModelRow(disk::Database& database, const ModelRecord& model);
/// False if there is none.
Result<bool> RemoveModelRow(disk::Database& database, std::string_view model_id);

/// In the order in which they were first registered.
Result<std::vector<PluginRecord>> ReadPlugins(disk::Database& database);
/// Adds or replaces a plugin, which keeps its place in the order.
Status PutPluginRow(disk::Database& database, const PluginRecord& plugin);
/// False if there is none.
Result<bool> RemovePluginRow(disk::Database& database, std::string_view plugin_id);

/// `kind` is "model" or "plugin"; the rest as for Registry::BeginLoading, and the machine's boot.
Status PutLoadingRow(disk::Database& database, std::string_view kind, std::string_view id,
                     std::string_view content, std::string_view boot);
Status PutTrialRow(disk::Database& database, const TrialKey& key, const Trial& trial);

/// Counts one more change of models and plugins, and seals that.
Status AdvanceSeal(disk::Database& database);
/// The same, where there were `generation` changes.
Status SetGeneration(disk::Database& database, std::int64_t generation);

}  // namespace mlos::registry
