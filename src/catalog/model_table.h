// SPDX-License-Identifier: MIT
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>
#include <vector>

#include "base/mutex.h"
#include "base/result.h"
#include "catalog/model_info.h"
#include "catalog/served_model.h"
#include "registry/records.h"

namespace mlos::catalog {

/// A registered model and what became of it in this process.
struct ModelEntry {
  registry::ModelRecord record;
  ModelState state = ModelState::kRegistered;
  /// Why the state is kFailed or kQuarantined.
  Status error;
  engine::ModelSchema schema;
  FileCheck checked;
  /// Set in state kLoaded, and while another version of it loads.
  std::shared_ptr<ServedModel> served;
};

/// What the doors tell of a model.
ModelInfo InfoOf(const ModelEntry& entry);

/// The registered models, as requests find them. Thread-safe; a look-up holds its lock for the time
/// of one hash and one reference count.
class ModelTable {
 public:
  void Put(ModelEntry entry);
  void Erase(std::string_view model_id);

  /// MODEL_NOT_FOUND, or INVALID_MODEL_ID for a text that can be no model's.
  Result<ModelEntry> Get(std::string_view model_id) const;
  bool Contains(std::string_view model_id) const;
  /// See Runtime::ResolveModel. A look-up of a registered id; other names cost a pass over all
  /// models.
  Result<std::string> Resolve(std::string_view name, std::string_view version) const;
  /// In the order of their ids.
  std::vector<ModelEntry> List() const;
  bool Any(const std::function<bool(const registry::ModelRecord&)>& matches) const;

  /// Changes a model's entry in place; nothing where it is gone.
  void Update(std::string_view model_id, const std::function<void(ModelEntry&)>& change);

  /// MODEL_NOT_FOUND, MODEL_LOADING, MODEL_NOT_LOADED or MODEL_QUARANTINED with the reason why.
  Result<std::shared_ptr<ServedModel>> Acquire(std::string_view model_id) const;

  /// Tells `on_settled` of each model to which Acquire may have been MODEL_LOADING and is not any
  /// more. Quick; set before the table is used.
  void WatchSettled(std::function<void(std::string_view model_id)> on_settled) {
    on_settled_ = std::move(on_settled);
  }

 private:
  struct Hash {
    using is_transparent = void;
    std::size_t operator()(std::string_view text) const {
      return std::hash<std::string_view>()(text);
    }
  };

  std::function<void(std::string_view)> on_settled_ = [](std::string_view) {};
  mutable Mutex mutex_;
  std::unordered_map<std::string, ModelEntry, Hash, std::equal_to<>> models_ GUARDED_BY(mutex_);
};

}  // namespace mlos::catalog
