// SPDX-License-Identifier: MIT
#include "registry/registry.h"

#include <algorithm>
#include <string>

#include "base/clock.h"
#include "registry/rows.h"

namespace mlos::registry {
namespace {

std::string_view ToString(LoadKind kind) { return kind == LoadKind::kModel ? "model" : "plugin"; }

/// OVERLOADED where a table with `count_others` other rows than the one to be put is full.
Status CheckNumber(disk::Database& database, const char* count_others, std::string_view id,
                   std::int64_t rows_max, std::string_view noun) {
  disk::Query others = MLOS_TRY(database.Prepare(count_others));
  MLOS_TRY(others.Text(id).Step());
  if (others.IntAt(0) < rows_max) return OkStatus();
  return {Reason::kOverloaded, std::to_string(rows_max) + " " + std::string(noun) +
                                   " are registered, which is the limit; remove one first"};
}

/// What the journal of loads says was being loaded when the last process died: ids and contents.
struct Unsurvived {
  std::vector<std::pair<std::string, std::string>> models;
  std::vector<std::pair<std::string, std::string>> plugins;
};

Result<Unsurvived> ReadJournal(disk::Database& database) {
  disk::Query rows = MLOS_TRY(database.Prepare("SELECT kind, id, content FROM loading"));
  Unsurvived unsurvived;
  while (MLOS_TRY(rows.Step())) {
    const bool model = rows.TextAt(0) == ToString(LoadKind::kModel);
    (model ? unsurvived.models : unsurvived.plugins).emplace_back(rows.TextAt(1), rows.TextAt(2));
  }
  return unsurvived;
}

bool Contains(const std::vector<std::pair<std::string, std::string>>& loads, const std::string& id,
              const std::string& content) {
  return std::find(loads.begin(), loads.end(), std::pair(id, content)) != loads.end();
}

}  // namespace

Result<std::unique_ptr<Registry>> Registry::Open(const std::filesystem::path& path,
                                                 const RegistryLimits& limits) {
  auto files = MLOS_TRY(Twin::Open(path));
  // What opening, checking and migrating have read is not needed again.
  MLOS_TRY(files->main().Execute("PRAGMA shrink_memory"));
  std::unique_ptr<Registry> registry(new Registry(std::move(files), limits, BootId()));
  MLOS_TRY(registry->ForgetOtherBoots());
  MLOS_TRY(registry->QuarantineUnsurvived());
  return registry;
}

// Of this run of the machine only: before a power cut, the end of a load may not have reached the
// disk.
Status Registry::ForgetOtherBoots() {
  const MutexLock lock(mutex_);
  disk::Transaction transaction = MLOS_TRY(disk::Transaction::Begin(files_->main()));
  disk::Query others =
      MLOS_TRY(files_->main().Prepare("DELETE FROM loading WHERE boot <> '' AND boot <> ?"));
  MLOS_TRY(others.Text(boot_).Run());
  return transaction.Commit();
}

// On a full disk, too, Core starts. Equal content only: a new version that killed Core before it
// was registered says nothing of the old one.
Status Registry::QuarantineUnsurvived() {
  const MutexLock lock(mutex_);
  disk::Database& database = files_->main();
  const Unsurvived unsurvived = MLOS_TRY(ReadJournal(database));
  const bool alone = unsurvived.models.size() == 1;
  for (ModelRecord& model : MLOS_TRY(ReadModels(database))) {
    if (model.quarantined || !Contains(unsurvived.models, model.model_id, model.digest)) continue;
    if (!alone) {
      suspects_.insert(model.model_id);
      continue;
    }
    model.quarantined = true;
    MLOS_TRY(PutLocked(Room::kMakes, model));
  }
  for (PluginRecord& plugin : MLOS_TRY(ReadPlugins(database))) {
    if (plugin.quarantined || !Contains(unsurvived.plugins, plugin.plugin_id, plugin.path))
      continue;
    plugin.quarantined = true;
    MLOS_TRY(PutLocked(Room::kMakes, plugin));
  }
  disk::Transaction transaction = MLOS_TRY(disk::Transaction::Begin(database));
  MLOS_TRY(database.Execute("DELETE FROM loading"));
  return transaction.Commit();
}

Result<std::vector<ModelRecord>> Registry::Models() {
  const MutexLock lock(mutex_);
  return ReadModels(files_->main());
}

Status Registry::PutModel(const ModelRecord& model) {
  const MutexLock lock(mutex_);
  MLOS_TRY(CheckNumber(files_->main(), "SELECT count(*) FROM models WHERE model_id <> ?",
                       model.model_id, limits_.models_max, "models"));
  return PutLocked(Room::kNeeds, model);
}

Status Registry::PutLocked(Room room, const ModelRecord& model) {
  return files_->Change(
      room, [&](disk::Database& file) { return PutModelRow(file, model); }, model);
}

Status Registry::RemoveModel(std::string_view model_id) {
  const MutexLock lock(mutex_);
  return files_->Change(
      Room::kMakes,
      [&](disk::Database& file) -> Status {
        if (MLOS_TRY(RemoveModelRow(file, model_id))) return OkStatus();
        return {Reason::kModelNotFound, "no model '" + std::string(model_id) + "' is registered"};
      },
      RemovedModel{std::string(model_id)});
}

Result<std::vector<PluginRecord>> Registry::Plugins() {
  const MutexLock lock(mutex_);
  return ReadPlugins(files_->main());
}

Status Registry::PutPlugin(const PluginRecord& plugin) {
  const MutexLock lock(mutex_);
  MLOS_TRY(CheckNumber(files_->main(), "SELECT count(*) FROM plugins WHERE plugin_id <> ?",
                       plugin.plugin_id, limits_.plugins_max, "plugins"));
  return PutLocked(Room::kNeeds, plugin);
}

Status Registry::PutLocked(Room room, const PluginRecord& plugin) {
  return files_->Change(
      room, [&](disk::Database& file) { return PutPluginRow(file, plugin); }, plugin);
}

Status Registry::RemovePlugin(std::string_view plugin_id) {
  const MutexLock lock(mutex_);
  return files_->Change(
      Room::kMakes,
      [&](disk::Database& file) -> Status {
        if (MLOS_TRY(RemovePluginRow(file, plugin_id))) return OkStatus();
        return {Reason::kPluginNotFound,
                "no plugin '" + std::string(plugin_id) + "' is registered"};
      },
      RemovedPlugin{std::string(plugin_id)});
}

// Without the name of this run, a load whose end was lost would be held against the model.
Status Registry::CommitJournal(disk::Transaction& transaction) {
  MLOS_TRY(transaction.Commit());
  return boot_.empty() ? files_->main().Sync() : OkStatus();
}

Status Registry::BeginLoading(LoadKind kind, std::string_view id, std::string_view content) {
  const MutexLock lock(mutex_);
  MLOS_TRY(files_->CheckRoom());
  disk::Transaction transaction = MLOS_TRY(disk::Transaction::Begin(files_->main()));
  MLOS_TRY(PutLoadingRow(files_->main(), ToString(kind), id, content, boot_));
  return CommitJournal(transaction);
}

Status Registry::EndLoading(LoadKind kind, std::string_view id) {
  const MutexLock lock(mutex_);
  disk::Transaction transaction = MLOS_TRY(disk::Transaction::Begin(files_->main()));
  disk::Query remove =
      MLOS_TRY(files_->main().Prepare("DELETE FROM loading WHERE kind = ? AND id = ?"));
  MLOS_TRY(remove.Text(ToString(kind)).Text(id).Run());
  return CommitJournal(transaction);
}

// The seal is looked at: a verdict that turned into its opposite would let bad files in.
Result<std::optional<Trial>> Registry::FindTrial(const TrialKey& key) {
  const MutexLock lock(mutex_);
  disk::Query query =
      MLOS_TRY(files_->main().Prepare("SELECT passed, message FROM trials WHERE digest = ? AND "
                                      "plugin_id = ? AND plugin_version = ? "
                                      "AND seal = seal_of('trials', " MLOS_TRIAL_COLUMNS ")"));
  query.Text(key.digest).Text(key.plugin_id).Text(key.plugin_version);
  if (!MLOS_TRY(query.Step())) return std::optional<Trial>();
  return std::optional<Trial>({.passed = query.IntAt(0) != 0, .message = query.TextAt(1)});
}

Status Registry::PutTrial(const TrialKey& key, const Trial& trial) {
  const MutexLock lock(mutex_);
  MLOS_TRY(files_->CheckRoom());
  disk::Database& database = files_->main();
  disk::Transaction transaction = MLOS_TRY(disk::Transaction::Begin(database));
  MLOS_TRY(PutTrialRow(database, key, trial));
  disk::Query trim = MLOS_TRY(
      database.Prepare("DELETE FROM trials WHERE number <= (SELECT max(number) FROM trials) - ?"));
  MLOS_TRY(trim.Int(limits_.trials_max).Run());
  MLOS_TRY(transaction.Commit());
  return database.Sync();
}

}  // namespace mlos::registry
