// SPDX-License-Identifier: MIT
#include "catalog/model_table.h"

#include <algorithm>
#include <utility>

#include "base/model_id.h"

namespace mlos::catalog {
namespace {

Status ModelNotFound(std::string_view model_id) {
  MLOS_TRY(ModelId::Parse(model_id));
  return Status(Reason::kModelNotFound, "no model '" + std::string(model_id) + "' is registered")
      .WithField("model_id");
}

bool IsComing(const ModelEntry& entry) {
  return catalog::IsComing(entry.state, entry.record.autoload);
}

Status NotLoaded(const ModelEntry& entry) {
  const std::string name = "model '" + entry.record.model_id + "' ";
  if (IsComing(entry)) {
    return {Reason::kModelLoading, name + "is being loaded; try again later"};
  }
  switch (entry.state) {
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

/// True where `text` is `id`, in which `text` may have "--" for '/'.
bool IsSpelledAs(std::string_view id, std::string_view text) {
  constexpr std::string_view kSlash = "--";
  while (!id.empty()) {
    if (id[0] == '/' && text.starts_with(kSlash)) {
      text.remove_prefix(kSlash.size());
    } else if (text.empty() || text[0] != id[0]) {
      return false;
    } else {
      text.remove_prefix(1);
    }
    id.remove_prefix(1);
  }
  return text.empty();
}

std::string_view WithoutVersion(std::string_view model_id) {
  return model_id.substr(0, model_id.find('@'));
}

std::string_view VersionOfId(std::string_view model_id) {
  const std::size_t at = model_id.find('@');
  return at == std::string_view::npos ? "" : model_id.substr(at + 1);
}

bool HasVersion(const registry::ModelRecord& record, std::string_view version) {
  return version.empty() || record.version == version || VersionOfId(record.model_id) == version;
}

bool HasName(const registry::ModelRecord& record, std::string_view name) {
  return IsSpelledAs(record.model_id, name) || IsSpelledAs(WithoutVersion(record.model_id), name) ||
         record.name == name;
}

Status NoneOrSeveral(std::string_view name, std::string_view version,
                     std::vector<std::string> model_ids) {
  if (model_ids.empty() && version.empty()) return ModelNotFound(name);
  std::string message;
  if (model_ids.empty()) {
    message = "no model '" + std::string(name) + "' of version '" + std::string(version) +
              "' is registered";
  } else {
    constexpr std::size_t kNamed = 3;
    std::sort(model_ids.begin(), model_ids.end());
    message = "'" + std::string(name) + "' fits " + std::to_string(model_ids.size()) +
              " models; use the id of one: ";
    for (std::size_t i = 0; i < std::min(kNamed, model_ids.size()); ++i) {
      message += (i == 0 ? "" : ", ") + model_ids[i];
    }
    if (model_ids.size() > kNamed) message += ", …";
  }
  return Status(Reason::kModelNotFound, std::move(message)).WithField("model_id");
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
  info.settings = record.settings;
  info.state = entry.state;
  info.error = entry.error;
  info.schema = entry.schema;
  if (entry.served != nullptr) {
    info.memory = entry.served->loaded().memory();
    info.loaded_at = entry.served->loaded_at();
    const sequence::Sequences* const sequences = entry.served->sequences();
    if (sequences != nullptr) info.settings.state_pairs = sequences->pairs();
  }
  info.registered_at = record.registered_at;
  info.checked = entry.checked;
  return info;
}

// What is replaced or erased may be the last reference to a model, whose destruction takes its
// time: not under the lock.
void ModelTable::Put(ModelEntry entry) {
  const std::string model_id = entry.record.model_id;
  const bool settled = !IsComing(entry);
  {
    const MutexLock lock(mutex_);
    std::swap(models_[model_id], entry);
  }
  if (settled) on_settled_(model_id);
}

void ModelTable::Erase(std::string_view model_id) {
  ModelEntry erased;
  {
    const MutexLock lock(mutex_);
    const auto found = models_.find(model_id);
    if (found == models_.end()) return;
    std::swap(erased, found->second);
    models_.erase(found);
  }
  on_settled_(erased.record.model_id);
}

Result<ModelEntry> ModelTable::Get(std::string_view model_id) const {
  const MutexLock lock(mutex_);
  const auto found = models_.find(model_id);
  if (found == models_.end()) return ModelNotFound(model_id);
  return found->second;
}

bool ModelTable::Contains(std::string_view model_id) const {
  const MutexLock lock(mutex_);
  return models_.find(model_id) != models_.end();
}

Result<std::string> ModelTable::Resolve(std::string_view name, std::string_view version) const {
  std::vector<std::string> model_ids;
  {
    const MutexLock lock(mutex_);
    const auto exact = models_.find(name);
    if (exact != models_.end() && HasVersion(exact->second.record, version)) return exact->first;
    for (const auto& [model_id, entry] : models_) {
      if (HasName(entry.record, name) && HasVersion(entry.record, version)) {
        model_ids.push_back(model_id);
      }
    }
  }
  if (model_ids.size() == 1) return std::move(model_ids.front());
  return NoneOrSeveral(name, version, std::move(model_ids));
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
  bool settled = false;
  {
    const MutexLock lock(mutex_);
    const auto found = models_.find(model_id);
    if (found == models_.end()) return;
    before = found->second.served;
    change(found->second);
    settled = !IsComing(found->second);
  }
  if (settled) on_settled_(model_id);
}

Result<std::shared_ptr<ServedModel>> ModelTable::Acquire(std::string_view model_id) const {
  const MutexLock lock(mutex_);
  const auto found = models_.find(model_id);
  if (found == models_.end()) return ModelNotFound(model_id);
  if (found->second.served == nullptr) return NotLoaded(found->second);
  return found->second.served;
}

}  // namespace mlos::catalog
