// SPDX-License-Identifier: MIT
#include "runtime/model_table.h"

#include <algorithm>
#include <utility>

#include "base/model_id.h"

namespace mlos::runtime {
namespace {

Status NotFound(std::string_view model_id) {
  MLOS_TRY(ModelId::Parse(model_id));
  return Status(Reason::kModelNotFound, "no model '" + std::string(model_id) + "' is registered")
      .WithField("model_id");
}

Status NotLoaded(const ModelEntry& entry) {
  const std::string name = "model '" + entry.record.model_id + "' ";
  switch (entry.state) {
    case ModelState::kLoading:
      return {Reason::kModelNotLoaded, name + "is being loaded; try again later"};
    case ModelState::kFailed:
      return {Reason::kModelNotLoaded,
              name + "could not be loaded: " + std::string(entry.error.message())};
    case ModelState::kQuarantined:
      return {Reason::kModelQuarantined,
              name + "is quarantined: " + std::string(entry.error.message())};
    default:
      return {Reason::kModelNotLoaded, name + "is not loaded; load it first"};
  }
}

}  // namespace

std::string_view ToString(ModelState state) {
  switch (state) {
    case ModelState::kRegistered:
      return "registered";
    case ModelState::kLoading:
      return "loading";
    case ModelState::kLoaded:
      return "loaded";
    case ModelState::kUnloaded:
      return "unloaded";
    case ModelState::kFailed:
      return "failed";
    default:
      return "quarantined";
  }
}

ModelInfo InfoOf(const ModelEntry& entry) {
  const registry::ModelRecord& record = entry.record;
  ModelInfo info;
  info.model_id = record.model_id;
  info.name = record.name;
  info.version = record.version;
  info.framework = record.framework;
  info.execution_format = record.execution_format;
  info.description = record.description;
  info.path = record.path;
  info.manifest_path = record.manifest_path;
  info.plugin_id = record.plugin_id;
  info.digest = record.digest;
  info.verified = record.verified;
  info.autoload = record.autoload;
  info.batching = record.batching;
  info.state = entry.state;
  info.error = entry.error;
  info.schema = entry.schema;
  if (entry.served != nullptr) info.memory = entry.served->loaded().memory();
  info.registered_at = record.registered_at;
  return info;
}

// What is replaced or erased may be the last reference to a model, whose destruction takes its
// time: not under the lock.
void ModelTable::Put(ModelEntry entry) {
  const MutexLock lock(mutex_);
  std::swap(models_[entry.record.model_id], entry);
}

void ModelTable::Erase(std::string_view model_id) {
  ModelEntry erased;
  const MutexLock lock(mutex_);
  const auto found = models_.find(model_id);
  if (found == models_.end()) return;
  std::swap(erased, found->second);
  models_.erase(found);
}

Result<ModelEntry> ModelTable::Get(std::string_view model_id) const {
  const MutexLock lock(mutex_);
  const auto found = models_.find(model_id);
  if (found == models_.end()) return NotFound(model_id);
  return found->second;
}

bool ModelTable::Contains(std::string_view model_id) const {
  const MutexLock lock(mutex_);
  return models_.find(model_id) != models_.end();
}

std::vector<ModelEntry> ModelTable::List() const {
  std::vector<ModelEntry> entries;
  {
    const MutexLock lock(mutex_);
    entries.reserve(models_.size());
    for (const auto& [model_id, entry] : models_) entries.push_back(entry);
  }
  std::sort(entries.begin(), entries.end(), [](const ModelEntry& a, const ModelEntry& b) {
    return a.record.model_id < b.record.model_id;
  });
  return entries;
}

bool ModelTable::Any(const std::function<bool(const registry::ModelRecord&)>& matches) const {
  const MutexLock lock(mutex_);
  return std::any_of(models_.begin(), models_.end(),
                     [&](const auto& item) { return matches(item.second.record); });
}

void ModelTable::Update(std::string_view model_id, const std::function<void(ModelEntry&)>& change) {
  std::shared_ptr<ServedModel> before;
  const MutexLock lock(mutex_);
  const auto found = models_.find(model_id);
  if (found == models_.end()) return;
  before = found->second.served;
  change(found->second);
}

Result<std::shared_ptr<ServedModel>> ModelTable::Acquire(std::string_view model_id) const {
  const MutexLock lock(mutex_);
  const auto found = models_.find(model_id);
  if (found == models_.end()) return NotFound(model_id);
  if (found->second.served == nullptr) return NotLoaded(found->second);
  return found->second.served;
}

}  // namespace mlos::runtime
