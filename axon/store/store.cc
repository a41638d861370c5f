// SPDX-License-Identifier: MIT
#include "axon/store/store.h"

#include <algorithm>

#include "axon/store/walk.h"
#include "axon/ui/hint.h"
#include "base/files.h"

namespace axon::store {
namespace {

namespace fs = std::filesystem;
using mlos::ModelId;
using mlos::Reason;
using mlos::Result;
using mlos::Status;
using Models = std::vector<InstalledModel>;

/// The folders between models/ and a model are its id, the last one its version.
Result<ModelId> IdOf(const fs::path& relative) {
  return ModelId::Parse(relative.parent_path().string() + "@" + relative.filename().string());
}

void Sort(Models& models) {
  std::sort(models.begin(), models.end(), [](const InstalledModel& a, const InstalledModel& b) {
    return a.id.text() < b.id.text();
  });
}

}  // namespace

Result<Models> Store::List() const {
  Models found;
  std::error_code error;
  if (fs::exists(layout_.models(), error) && !fs::is_directory(layout_.models(), error)) {
    return Status(Reason::kStoreCorrupt, "the store's folder of models is not a folder");
  }
  ForEachBelow(layout_.models(), [&](const fs::path& path, const struct stat& info) {
    if (!S_ISDIR(info.st_mode) || !IsModelDirectory(path)) return S_ISDIR(info.st_mode);
    Result<ModelId> id = IdOf(path.lexically_relative(layout_.models()));
    if (id.ok()) found.push_back({std::move(id).value(), path});
    return false;  // whatever is in a model's folder belongs to it
  });
  Sort(found);
  return found;
}

Result<Models> Store::Versions(std::string_view path) const {
  Models found;
  for (InstalledModel& model : MLOS_TRY(List())) {
    const std::string& id = model.id.text();
    if (std::string_view(id).substr(0, id.find('@')) == path) found.push_back(std::move(model));
  }
  return found;
}

Result<InstalledModel> Store::Find(const ModelId& id) const {
  const fs::path directory = layout_.Model(id);
  if (IsModelDirectory(directory)) return InstalledModel{id, directory};
  Status status(Reason::kModelNotFound, id.text() + " is not installed");
  const std::string path = id.text().substr(0, id.text().find('@'));
  const Models others = MLOS_TRY(Versions(path));
  if (others.empty()) return ui::WithHint(std::move(status), "axon install " + id.text());
  std::string list;
  for (const InstalledModel& other : others) list += (list.empty() ? "" : ", ") + other.id.text();
  return ui::WithHint(std::move(status), "installed of it: " + list);
}

Result<std::uint64_t> Store::FreeBytes() const {
  fs::path existing = layout_.root;
  std::error_code error;
  while (!fs::exists(existing, error) && existing.has_relative_path()) {
    existing = existing.parent_path();
  }
  return mlos::FreeDiskBytes(existing);
}

Status Store::Remove(const InstalledModel& model) const {
  Staging staging = MLOS_TRY(Stage());
  return staging.TakeOut(model.directory);
}

}  // namespace axon::store
