// SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/mutex.h"
#include "base/result.h"
#include "registry/records.h"
#include "registry/twin.h"

namespace mlos::registry {

struct RegistryLimits {
  std::int64_t models_max = 1024;
  std::int64_t plugins_max = 64;
  /// Verdicts remembered; the oldest go first.
  std::int64_t trials_max = 4096;
};

/// What is being loaded, for the journal.
enum class LoadKind : std::uint8_t { kModel, kPlugin };

/// Which models and plugins there are, across restarts, in two files: see Twin.
///
/// A change has happened, and survives SIGKILL and power cut, once its function returned success.
/// After a failure (DISK_FULL, IO_ERROR, OUT_OF_MEMORY, STORE_CORRUPT) everything is as it was;
/// only a change whose sync failed may show after a restart, as the disk may have stored it after
/// all. Models and plugins can be removed on a full disk. Thread-safe; every call may wait for the
/// disk.
class Registry {
 public:
  /// Opens or creates the files, brings them to this version's layout and heals what is damaged; a
  /// registration that is damaged in both is quarantined, without its digest. Whatever alone was
  /// being loaded when the last process died is quarantined, if it is registered with the same
  /// content and the machine was not started anew in between: a power cut is not held against a
  /// model.
  /// STORE_CORRUPT where neither file can be read.
  static Result<std::unique_ptr<Registry>> Open(const std::filesystem::path& path,
                                                const RegistryLimits& limits = {});

  /// Models that were being loaded side by side when the last process died. One of them may have
  /// ended it, which is not held against the others: none is quarantined, and each is to be loaded
  /// alone.
  const std::set<std::string>& suspects() const { return suspects_; }

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
  Registry(std::unique_ptr<Twin> files, const RegistryLimits& limits, std::string boot)
      : limits_(limits), boot_(std::move(boot)), files_(std::move(files)) {}

  Status ForgetOtherBoots();
  Status QuarantineUnsurvived();
  Status PutLocked(Room room, const ModelRecord& model) REQUIRES(mutex_);
  Status PutLocked(Room room, const PluginRecord& plugin) REQUIRES(mutex_);
  Status CommitJournal(disk::Transaction& transaction) REQUIRES(mutex_);

  const RegistryLimits limits_;
  const std::string boot_;  ///< see BootId
  std::set<std::string> suspects_;
  Mutex mutex_;
  const std::unique_ptr<Twin> files_;
};

}  // namespace mlos::registry
