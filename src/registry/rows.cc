// SPDX-License-Identifier: MIT
#include "registry/rows.h"

#include <utility>

#include "settings/json.h"

namespace mlos::registry {
namespace {

Result<settings::ModelSettings> SettingsAt(const disk::Query& row, int column) {
  Result<settings::ModelSettings> settings = settings::ParseSettings(row.TextAt(column));
  if (settings.ok()) return settings;
  return Status(Reason::kStoreCorrupt, "the settings of a model in the registry cannot be read: " +
                                           std::string(settings.status().message()));
}

Result<ModelRecord> ModelAt(const disk::Query& row) {
  return ModelRecord{
      .model_id = row.TextAt(0),
      .name = row.TextAt(1),
      .version = row.TextAt(2),
      .framework = row.TextAt(3),
      .execution_format = row.TextAt(4),
      .description = row.TextAt(5),
      .path = row.TextAt(6),
      .served_path = row.TextAt(7),
      .manifest_path = row.TextAt(8),
      .plugin_id = row.TextAt(9),
      .digest = row.TextAt(10),
      .verified = row.IntAt(11) != 0,
      .autoload = row.IntAt(12) != 0,
      .settings = MLOS_TRY(SettingsAt(row, 15)),
      .quarantined = row.IntAt(13) != 0,
      .registered_at = row.IntAt(14),
  };
}

PluginRecord PluginAt(const disk::Query& row) {
  return {
      .plugin_id = row.TextAt(0),
      .name = row.TextAt(1),
      .version = row.TextAt(2),
      .path = row.TextAt(3),
      .config = row.TextAt(4),
      .quarantined = row.IntAt(5) != 0,
      .registered_at = row.IntAt(6),
  };
}

}  // namespace

Result<std::vector<ModelRecord>> ReadModels(disk::Database& database) {
  disk::Query rows =
      MLOS_TRY(database.Prepare("SELECT " MLOS_MODEL_COLUMNS " FROM models ORDER BY model_id"));
  std::vector<ModelRecord> models;
  while (MLOS_TRY(rows.Step())) models.push_back(MLOS_TRY(ModelAt(rows)));
  return models;
}

// Not OR REPLACE, which passes over the trigger that takes the old row's seal out.
Status PutModelRow(disk::Database& database, const ModelRecord& model) {
  MLOS_TRY(RemoveModelRow(database, model.model_id));
  const std::string settings_text = settings::ToJson(model.settings);
  disk::Query put = MLOS_TRY(database.Prepare(
      "INSERT INTO models (" MLOS_MODEL_COLUMNS
      ", seal) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15, ?16, "
      "seal_of('models', ?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15, ?16))"));
  put.Text(model.model_id).Text(model.name).Text(model.version).Text(model.framework);
  put.Text(model.execution_format).Text(model.description).Text(model.path);
  put.Text(model.served_path).Text(model.manifest_path).Text(model.plugin_id).Text(model.digest);
  put.Int(model.verified ? 1 : 0).Int(model.autoload ? 1 : 0).Int(model.quarantined ? 1 : 0);
  return put.Int(model.registered_at).Text(settings_text).Run();
}

Result<bool> RemoveModelRow(disk::Database& database, std::string_view model_id) {
  disk::Query remove = MLOS_TRY(database.Prepare("DELETE FROM models WHERE model_id = ?"));
  MLOS_TRY(remove.Text(model_id).Run());
  return database.changes() > 0;
}

Result<std::vector<PluginRecord>> ReadPlugins(disk::Database& database) {
  disk::Query rows =
      MLOS_TRY(database.Prepare("SELECT " MLOS_PLUGIN_COLUMNS " FROM plugins ORDER BY rowid"));
  std::vector<PluginRecord> plugins;
  while (MLOS_TRY(rows.Step())) plugins.push_back(PluginAt(rows));
  return plugins;
}

Status PutPluginRow(disk::Database& database, const PluginRecord& plugin) {
  disk::Query put = MLOS_TRY(database.Prepare(R"sql(
INSERT INTO plugins (plugin_id, name, version, path, config, quarantined, registered_at, seal)
VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, seal_of('plugins', ?1, ?2, ?3, ?4, ?5, ?6, ?7))
ON CONFLICT (plugin_id) DO UPDATE SET
  name = excluded.name, version = excluded.version, path = excluded.path,
  config = excluded.config, quarantined = excluded.quarantined,
  registered_at = excluded.registered_at, seal = excluded.seal)sql"));
  put.Text(plugin.plugin_id).Text(plugin.name).Text(plugin.version).Text(plugin.path);
  put.Text(plugin.config).Int(plugin.quarantined ? 1 : 0);
  return put.Int(plugin.registered_at).Run();
}

Result<bool> RemovePluginRow(disk::Database& database, std::string_view plugin_id) {
  disk::Query remove = MLOS_TRY(database.Prepare("DELETE FROM plugins WHERE plugin_id = ?"));
  MLOS_TRY(remove.Text(plugin_id).Run());
  return database.changes() > 0;
}

Status PutLoadingRow(disk::Database& database, std::string_view kind, std::string_view id,
                     std::string_view content, std::string_view boot) {
  disk::Query put = MLOS_TRY(
      database.Prepare("INSERT OR REPLACE INTO loading (" MLOS_LOADING_COLUMNS
                       ", seal) VALUES (?1, ?2, ?3, ?4, seal_of('loading', ?1, ?2, ?3, ?4))"));
  return put.Text(kind).Text(id).Text(content).Text(boot).Run();
}

Status PutTrialRow(disk::Database& database, const TrialKey& key, const Trial& trial) {
  disk::Query put = MLOS_TRY(database.Prepare(
      "INSERT OR REPLACE INTO trials (" MLOS_TRIAL_COLUMNS
      ", seal) VALUES (?1, ?2, ?3, ?4, ?5, seal_of('trials', ?1, ?2, ?3, ?4, ?5))"));
  put.Text(key.digest).Text(key.plugin_id).Text(key.plugin_version);
  return put.Int(trial.passed ? 1 : 0).Text(trial.message).Run();
}

Status AdvanceSeal(disk::Database& database) {
  disk::Query advance =
      MLOS_TRY(database.Prepare("UPDATE seal SET generation = generation + 1, "
                                "own = seal_of('seal', generation + 1, rows, layout)"));
  return advance.Run();
}

Status SetGeneration(disk::Database& database, std::int64_t generation) {
  disk::Query seal = MLOS_TRY(database.Prepare("UPDATE seal SET generation = ?"));
  MLOS_TRY(seal.Int(generation - 1).Run());
  return AdvanceSeal(database);
}

}  // namespace mlos::registry
