// SPDX-License-Identifier: MIT
#pragma once

#include <filesystem>
#include <string_view>
#include <vector>

#include "axon/store/layout.h"
#include "axon/store/objects.h"
#include "axon/store/staging.h"
#include "base/model_id.h"
#include "base/result.h"

namespace axon::store {

/// A model that is there, whole.
struct InstalledModel {
  mlos::ModelId id;
  std::filesystem::path directory;
};

/// The models and files below one cache folder, shared by any number of processes. What a call has
/// acknowledged survives kill -9 and a power cut; what it has not leaves nothing visible behind.
/// Looking something up creates nothing. Thread-compatible.
class Store {
 public:
  explicit Store(std::filesystem::path root) : layout_{std::move(root)}, objects_(layout_) {}

  const Layout& layout() const { return layout_; }
  const Objects& objects() const { return objects_; }

  /// Every model, sorted by id. Folders that are no model are passed over.
  mlos::Result<std::vector<InstalledModel>> List() const;
  /// The versions of one model, by "namespace/name", sorted. Empty where there is none.
  mlos::Result<std::vector<InstalledModel>> Versions(std::string_view path) const;
  /// MODEL_NOT_FOUND, with what there is of that model.
  mlos::Result<InstalledModel> Find(const mlos::ModelId& id) const;

  /// Creates what is missing of the folders, removes what dead processes left in staging, and gives
  /// a new staging folder.
  mlos::Result<Staging> Stage() const { return Staging::Create(layout_); }

  /// Bytes that may still be written to the store's file system.
  mlos::Result<std::uint64_t> FreeBytes() const;

  /// Takes a model out in one step. Its files stay as objects until they are cleaned.
  mlos::Status Remove(const InstalledModel& model) const;

 private:
  Layout layout_;
  Objects objects_;
};

}  // namespace axon::store
