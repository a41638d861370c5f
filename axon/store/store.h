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

/// An installed model.
struct InstalledModel {
  mlos::ModelId id;
  std::filesystem::path directory;
};

/// The models and files below one cache folder, shared by any number of processes. An acknowledged
/// change survives kill -9 and a power cut; an interrupted one leaves nothing visible behind.
/// Lookups create nothing. Thread-compatible.
class Store {
 public:
  explicit Store(std::filesystem::path root) : layout_{std::move(root)}, objects_(layout_) {}

  const Layout& layout() const { return layout_; }
  const Objects& objects() const { return objects_; }

  /// Every model, sorted by id. Folders that are not a model are skipped.
  mlos::Result<std::vector<InstalledModel>> List() const;
  /// The versions of one model, by "namespace/name", sorted. Empty if there is none.
  mlos::Result<std::vector<InstalledModel>> Versions(std::string_view path) const;
  /// MODEL_NOT_FOUND, with the versions that are installed.
  mlos::Result<InstalledModel> Find(const mlos::ModelId& id) const;

  /// Creates missing folders, removes staging folders of dead processes, and returns a new one.
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
