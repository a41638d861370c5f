// SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/mutex.h"
#include "base/result.h"
#include "registry/records.h"
#include "registry/sqlite.h"

namespace mlos::registry {

struct RegistryLimits {
  std::int64_t models_max = 1024;
  std::int64_t plugins_max = 64;
  /// Verdicts remembered; the oldest go first.
  std::int64_t trials_max = 4096;
};

/// What is being loaded, for the journal.
enum class LoadKind : std::uint8_t { kModel, kPlugin };

/// Which models and plugins there are, across restarts.
///
/// A change has happened, and survives SIGKILL and power cut, once its function returned success.
/// After a failure (DISK_FULL, IO_ERROR, OUT_OF_MEMORY, STORE_CORRUPT) everything is as it was;
/// only a change whose sync failed may still show after a crash, as the disk may have stored it
/// after all. Thread-safe; every call may wait for the disk.
class Registry {
 public:
  /// Opens or creates the file and brings it to this version's layout. Whatever was being loaded
  /// when the last process died is quarantined, if it is registered with the same content and the
  /// machine was not started anew in between: a power cut is not held against a model.
  /// STORE_CORRUPT where the file is damaged.
  static Result<std::unique_ptr<Registry>> Open(const std::filesystem::path& path,
                                                const RegistryLimits& limits = {});

  /// In the order of their ids.
  Result<std::vector<ModelRecord>> Models();
  /// Adds or replaces a model. OVERLOADED where there are too many.
  Status PutModel(const ModelRecord& model);
  /// MODEL_NOT_FOUND.
  Status RemoveModel(std::string_view model_id);

  /// In the order in which they were first registered.
  Result<std::vector<PluginRecord>> Plugins();
  /// Adds or replaces a plugin. OVERLOADED where there are too many.
  Status PutPlugin(const PluginRecord& plugin);
  /// PLUGIN_NOT_FOUND.
  Status RemovePlugin(std::string_view plugin_id);

  /// Writes down that a load begins, of a model with the digest `content`, or of a plugin at the
  /// path `content`. That outlives this process and not the machine, so that no load waits for the
  /// disk.
  Status BeginLoading(LoadKind kind, std::string_view id, std::string_view content);
  /// Writes down that it was survived, whatever came of it.
  Status EndLoading(LoadKind kind, std::string_view id);

  Result<std::optional<Trial>> FindTrial(const TrialKey& key);
  Status PutTrial(const TrialKey& key, const Trial& trial);

 private:
  Registry(std::unique_ptr<Database> database, const RegistryLimits& limits, std::string boot)
      : limits_(limits), boot_(std::move(boot)), database_(std::move(database)) {}

  Status QuarantineUnsurvived();
  Result<Transaction> BeginJournal() REQUIRES(mutex_);
  /// OVERLOADED where a table with `count_others` other rows than the one to be put is full.
  Status CheckRoom(const char* count_others, std::string_view id, std::int64_t rows_max,
                   std::string_view noun) REQUIRES(mutex_);

  const RegistryLimits limits_;
  const std::string boot_;  ///< see BootId
  Mutex mutex_;
  const std::unique_ptr<Database> database_;
};

}  // namespace mlos::registry
