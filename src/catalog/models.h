// SPDX-License-Identifier: MIT
#pragma once

#include <atomic>
#include <functional>
#include <memory>
#include <optional>
#include <string_view>
#include <vector>

#include "base/keyed_mutex.h"
#include "base/mutex.h"
#include "base/result.h"
#include "catalog/model_finder.h"
#include "catalog/model_loader.h"
#include "catalog/model_table.h"
#include "catalog/plugin_table.h"
#include "metrics/stats.h"
#include "registry/registry.h"
#include "store/copies.h"
#include "store/packages.h"

namespace mlos::catalog {

/// The life of models: registered, loaded, unloaded, removed. What the registry has stored and what
/// the table shows change together: the table follows once the registry has. Thread-safe; changes
/// to one model follow each other.
class Models {
 public:
  Models(registry::Registry& registry, store::Packages& packages, store::Copies& copies,
         ModelTable& table, PluginTable& plugins, metrics::Stats& stats, ModelFinder finder,
         ModelLoader loader)
      : registry_(registry),
        packages_(packages),
        copies_(copies),
        table_(table),
        plugins_(plugins),
        stats_(stats),
        finder_(std::move(finder)),
        loader_(std::move(loader)) {}

  /// Fills the table from what the registry holds; nothing is loaded.
  void Adopt(std::vector<registry::ModelRecord> records);
  /// Loads those that want it and are not loaded, until `stop`: side by side on all cores, the
  /// smallest first, and then the registry's suspects one by one.
  void LoadRegistered(const std::atomic<bool>& stop);

  // See Runtime.
  Result<RegisterModelOutcome> Register(const RegisterModelRequest& request, Deadline deadline);
  Result<std::optional<ModelInfo>> FindRegistered(const RegisterModelRequest& request);
  /// Also the model that was served, if one was: its runs may go on.
  Result<std::shared_ptr<ServedModel>> Remove(std::string_view model_id);
  Result<ModelInfo> Load(std::string_view model_id, Deadline deadline);
  /// Reads the files of all models, those that are registered and those that are served, until
  /// `stop`, and keeps what was found. A model whose copy has changed is loaded from a new one.
  void CheckFiles(const std::atomic<bool>& stop);
  Result<std::shared_ptr<ServedModel>> Unload(std::string_view model_id);
  /// Takes the model out of service whose requests wait in `queue`: too many of its runs did not
  /// stop. Quick.
  void GiveUp(const scheduler::ModelQueue& queue);
  /// Takes a model out of service whose files could not be read while it ran. Quick.
  void GiveUp(const ServedModel& damaged);
  std::uint32_t overdue_loads() { return loader_.overdue(); }
  /// PLUGIN_IN_USE while models of it are registered.
  Status RemovePlugin(std::string_view plugin_id);

 private:
  /// Loads it if it wants that and is not loaded.
  void LoadListed(const std::string& model_id);
  /// What is to be loaded at the start, the smallest first.
  std::vector<std::string> LoadingOrder() const;
  /// The right to change a model. DEADLINE_EXCEEDED if others hold it until `deadline`.
  Result<KeyedMutex::Lock> LockBy(std::string_view model_id, Deadline deadline);
  /// The same for what never takes long. CONFLICT if something that does goes on.
  Result<KeyedMutex::Lock> LockNow(std::string_view model_id);
  /// What `request` asks to be registered. Fills `found`; what it pins is still pinned afterwards.
  Result<ModelEntry> EntryOf(const ModelId& id, const RegisterModelRequest& request,
                             FoundModel& found);
  /// Ends the pin of `found`: what was unpacked for a model that was then refused goes again.
  void Release(FoundModel& found);
  /// Fills `found`; what it pins is still pinned afterwards.
  Result<RegisterModelOutcome> RegisterFound(const ModelId& id, const RegisterModelRequest& request,
                                             FoundModel& found, Deadline deadline);
  Result<RegisterModelOutcome> Keep(const ModelEntry& existing, Deadline deadline);
  /// Loads a registered model from its files as they are; the entry follows.
  Result<ModelInfo> LoadEntry(const ModelEntry& entry, Deadline deadline);
  Result<std::shared_ptr<ServedModel>> LoadAgain(const registry::ModelRecord& record,
                                                 Deadline deadline);
  Result<std::shared_ptr<ServedModel>> LoadFiles(const registry::ModelRecord& record,
                                                 package::ModelFiles files, Deadline deadline);
  void CheckFilesOf(const registry::ModelRecord& record,
                    const std::weak_ptr<ServedModel>& looked_at);
  /// Keeps what a look at the files of the model found, and serves no copy that has changed.
  void TakeIn(const ModelEntry& entry, Status found, const Status& copy_found);
  /// Takes the model out of service that is served under this id, if it is meant. The caller lets
  /// go of it, outside of the table's lock; null if it was not.
  std::shared_ptr<ServedModel> TakeOut(std::string_view model_id,
                                       const std::function<bool(ServedModel&)>& is_meant,
                                       const Status& why);
  /// CONFLICT while a run goes on in a session that an engine would share with a new model of this
  /// digest, and that reads zeros.
  Status CheckNoneIsDamaged(std::string_view digest);
  Status Commit(ModelEntry entry);
  void RemoveUnusedPackage(const std::filesystem::path& folder);
  /// Removes the copies of files that no registered model is of.
  void RemoveUnusedCopies();

  registry::Registry& registry_;
  store::Packages& packages_;
  store::Copies& copies_;
  ModelTable& table_;
  PluginTable& plugins_;
  metrics::Stats& stats_;
  ModelFinder finder_;
  ModelLoader loader_;
  KeyedMutex changing_;
  // Held from the last look at which plugins and models there are until the registry has stored
  // what follows from it.
  Mutex committing_;
  Mutex damaged_mutex_;
  std::vector<std::weak_ptr<ServedModel>> damaged_ GUARDED_BY(damaged_mutex_);
};

}  // namespace mlos::catalog
