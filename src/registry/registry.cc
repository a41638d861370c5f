// SPDX-License-Identifier: MIT
#include "registry/registry.h"

#include <fstream>
#include <string>

#include "registry/schema.h"
#include "settings/json.h"

namespace mlos::registry {
namespace {

std::string_view ToString(LoadKind kind) { return kind == LoadKind::kModel ? "model" : "plugin"; }

/// What the kernel calls this run of the machine; empty where it does not say.
std::string BootId() {
  std::string id;
  std::ifstream file("/proc/sys/kernel/random/boot_id");
  std::getline(file, id);
  return id;
}

Result<settings::ModelSettings> SettingsAt(const Query& row, int column) {
  Result<settings::ModelSettings> settings = settings::ParseSettings(row.TextAt(column));
  if (settings.ok()) return settings;
  return Status(Reason::kStoreCorrupt, "the settings of a model in the registry cannot be read: " +
                                           std::string(settings.status().message()));
}

Result<ModelRecord> ModelAt(const Query& row) {
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

PluginRecord PluginAt(const Query& row) {
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

Result<std::unique_ptr<Registry>> Registry::Open(const std::filesystem::path& path,
                                                 const RegistryLimits& limits) {
  auto database = MLOS_TRY(Database::Open(path));
  MLOS_TRY(Migrate(*database));
  // What opening and migrating have read is not needed again.
  MLOS_TRY(database->Execute("PRAGMA shrink_memory"));
  std::unique_ptr<Registry> registry(new Registry(std::move(database), limits, BootId()));
  MLOS_TRY(registry->QuarantineUnsurvived());
  return registry;
}

// Equal content only: a new version that killed Core before it was registered says nothing of the
// old one. Of this run of the machine only: before a power cut, the end of a load may not have
// reached the disk.
Status Registry::QuarantineUnsurvived() {
  const MutexLock lock(mutex_);
  Transaction transaction = MLOS_TRY(Transaction::Begin(*database_));
  Query others = MLOS_TRY(database_->Prepare("DELETE FROM loading WHERE boot <> '' AND boot <> ?"));
  MLOS_TRY(others.Text(boot_).Run());
  MLOS_TRY(database_->Execute(R"sql(
UPDATE models SET quarantined = 1 WHERE EXISTS (
  SELECT 1 FROM loading WHERE kind = 'model' AND id = model_id AND content = digest);
UPDATE plugins SET quarantined = 1 WHERE EXISTS (
  SELECT 1 FROM loading WHERE kind = 'plugin' AND id = plugin_id AND content = path);
DELETE FROM loading;
)sql"));
  return transaction.Commit();
}

Status Registry::CheckRoom(const char* count_others, std::string_view id, std::int64_t rows_max,
                           std::string_view noun) {
  Query others = MLOS_TRY(database_->Prepare(count_others));
  MLOS_TRY(others.Text(id).Step());
  if (others.IntAt(0) < rows_max) return OkStatus();
  return {Reason::kOverloaded, std::to_string(rows_max) + " " + std::string(noun) +
                                   " are registered, which is the limit; remove one first"};
}

Result<std::vector<ModelRecord>> Registry::Models() {
  const MutexLock lock(mutex_);
  Query rows = MLOS_TRY(database_->Prepare(R"sql(
SELECT model_id, name, version, framework, execution_format, description, path, served_path,
       manifest_path, plugin_id, digest, verified, autoload, quarantined, registered_at,
       settings
FROM models ORDER BY model_id)sql"));
  std::vector<ModelRecord> models;
  while (MLOS_TRY(rows.Step())) models.push_back(MLOS_TRY(ModelAt(rows)));
  return models;
}

Status Registry::PutModel(const ModelRecord& model) {
  const std::string settings_text = settings::ToJson(model.settings);
  const MutexLock lock(mutex_);
  Transaction transaction = MLOS_TRY(Transaction::Begin(*database_));
  MLOS_TRY(CheckRoom("SELECT count(*) FROM models WHERE model_id <> ?", model.model_id,
                     limits_.models_max, "models"));
  Query put = MLOS_TRY(database_->Prepare(R"sql(
INSERT OR REPLACE INTO models (
  model_id, name, version, framework, execution_format, description, path, served_path,
  manifest_path, plugin_id, digest, verified, autoload, quarantined, registered_at,
  settings)
VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?))sql"));
  put.Text(model.model_id).Text(model.name).Text(model.version).Text(model.framework);
  put.Text(model.execution_format).Text(model.description).Text(model.path);
  put.Text(model.served_path).Text(model.manifest_path).Text(model.plugin_id).Text(model.digest);
  put.Int(model.verified ? 1 : 0).Int(model.autoload ? 1 : 0).Int(model.quarantined ? 1 : 0);
  MLOS_TRY(put.Int(model.registered_at).Text(settings_text).Run());
  return transaction.Commit();
}

Status Registry::RemoveModel(std::string_view model_id) {
  const MutexLock lock(mutex_);
  Transaction transaction = MLOS_TRY(Transaction::Begin(*database_));
  Query remove = MLOS_TRY(database_->Prepare("DELETE FROM models WHERE model_id = ?"));
  MLOS_TRY(remove.Text(model_id).Run());
  if (database_->changes() == 0) {
    return {Reason::kModelNotFound, "no model '" + std::string(model_id) + "' is registered"};
  }
  return transaction.Commit();
}

Result<std::vector<PluginRecord>> Registry::Plugins() {
  const MutexLock lock(mutex_);
  Query rows = MLOS_TRY(database_->Prepare(R"sql(
SELECT plugin_id, name, version, path, config, quarantined, registered_at
FROM plugins ORDER BY rowid)sql"));
  std::vector<PluginRecord> plugins;
  while (MLOS_TRY(rows.Step())) plugins.push_back(PluginAt(rows));
  return plugins;
}

Status Registry::PutPlugin(const PluginRecord& plugin) {
  const MutexLock lock(mutex_);
  Transaction transaction = MLOS_TRY(Transaction::Begin(*database_));
  MLOS_TRY(CheckRoom("SELECT count(*) FROM plugins WHERE plugin_id <> ?", plugin.plugin_id,
                     limits_.plugins_max, "plugins"));
  // Not OR REPLACE: the row must keep its place in the order of registration.
  Query put = MLOS_TRY(database_->Prepare(R"sql(
INSERT INTO plugins (plugin_id, name, version, path, config, quarantined, registered_at)
VALUES (?, ?, ?, ?, ?, ?, ?)
ON CONFLICT (plugin_id) DO UPDATE SET
  name = excluded.name, version = excluded.version, path = excluded.path,
  config = excluded.config, quarantined = excluded.quarantined,
  registered_at = excluded.registered_at)sql"));
  put.Text(plugin.plugin_id).Text(plugin.name).Text(plugin.version).Text(plugin.path);
  put.Text(plugin.config).Int(plugin.quarantined ? 1 : 0);
  MLOS_TRY(put.Int(plugin.registered_at).Run());
  return transaction.Commit();
}

Status Registry::RemovePlugin(std::string_view plugin_id) {
  const MutexLock lock(mutex_);
  Transaction transaction = MLOS_TRY(Transaction::Begin(*database_));
  Query remove = MLOS_TRY(database_->Prepare("DELETE FROM plugins WHERE plugin_id = ?"));
  MLOS_TRY(remove.Text(plugin_id).Run());
  if (database_->changes() == 0) {
    return {Reason::kPluginNotFound, "no plugin '" + std::string(plugin_id) + "' is registered"};
  }
  return transaction.Commit();
}

// Without the name of this run, a load whose end was lost would be held against the model.
Result<Transaction> Registry::BeginJournal() {
  return Transaction::Begin(*database_, boot_.empty() ? Survives::kPowerCut : Survives::kProcess);
}

Status Registry::BeginLoading(LoadKind kind, std::string_view id, std::string_view content) {
  const MutexLock lock(mutex_);
  Transaction transaction = MLOS_TRY(BeginJournal());
  Query put = MLOS_TRY(database_->Prepare(
      "INSERT OR REPLACE INTO loading (kind, id, content, boot) VALUES (?, ?, ?, ?)"));
  MLOS_TRY(put.Text(ToString(kind)).Text(id).Text(content).Text(boot_).Run());
  return transaction.Commit();
}

Status Registry::EndLoading(LoadKind kind, std::string_view id) {
  const MutexLock lock(mutex_);
  Transaction transaction = MLOS_TRY(BeginJournal());
  Query remove = MLOS_TRY(database_->Prepare("DELETE FROM loading WHERE kind = ? AND id = ?"));
  MLOS_TRY(remove.Text(ToString(kind)).Text(id).Run());
  return transaction.Commit();
}

Result<std::optional<Trial>> Registry::FindTrial(const TrialKey& key) {
  const MutexLock lock(mutex_);
  Query query = MLOS_TRY(database_->Prepare(R"sql(
SELECT passed, message FROM trials
WHERE digest = ? AND plugin_id = ? AND plugin_version = ?)sql"));
  query.Text(key.digest).Text(key.plugin_id).Text(key.plugin_version);
  if (!MLOS_TRY(query.Step())) return std::optional<Trial>();
  return std::optional<Trial>({.passed = query.IntAt(0) != 0, .message = query.TextAt(1)});
}

Status Registry::PutTrial(const TrialKey& key, const Trial& trial) {
  const MutexLock lock(mutex_);
  Transaction transaction = MLOS_TRY(Transaction::Begin(*database_));
  Query put = MLOS_TRY(database_->Prepare(R"sql(
INSERT OR REPLACE INTO trials (digest, plugin_id, plugin_version, passed, message)
VALUES (?, ?, ?, ?, ?))sql"));
  put.Text(key.digest).Text(key.plugin_id).Text(key.plugin_version);
  MLOS_TRY(put.Int(trial.passed ? 1 : 0).Text(trial.message).Run());
  Query trim = MLOS_TRY(database_->Prepare(
      "DELETE FROM trials WHERE number <= (SELECT max(number) FROM trials) - ?"));
  MLOS_TRY(trim.Int(limits_.trials_max).Run());
  return transaction.Commit();
}

}  // namespace mlos::registry
