// SPDX-License-Identifier: MIT
#pragma once

#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/mutex.h"
#include "base/path_policy.h"
#include "base/result.h"
#include "catalog/plugin_descriptor.h"
#include "catalog/plugin_info.h"
#include "engine/engine.h"
#include "package/model_files.h"
#include "registry/registry.h"

namespace mlos::catalog {

/// A plugin that is loaded, for those who load models with it.
struct PluginHandle {
  std::string id;
  std::filesystem::path path;
  std::string config;
  std::shared_ptr<engine::Engine> engine;
};

struct PluginTableOptions {
  std::vector<std::filesystem::path> plugin_dirs;
  std::uint32_t thread_count = 0;
  std::uint64_t arena_bytes_max = 0;
};

/// The plugins that are registered, and those whose descriptors lie in the plugin folders, which
/// are loaded when they are first needed; Core's own is one of these. Registering and loading
/// follow each other; looking up never waits for them. Thread-safe.
class PluginTable {
 public:
  /// Reads the descriptors; nothing is loaded yet.
  static Result<std::unique_ptr<PluginTable>> Create(PluginTableOptions options,
                                                     registry::Registry& registry);
  PluginTable(const PluginTable&) = delete;
  PluginTable& operator=(const PluginTable&) = delete;

  /// Loads the registered plugins that are not; failures are kept in their states.
  void LoadRegistered();

  /// See Runtime. `model_ids` are left empty.
  Result<PluginInfo> Register(const RegisterPluginRequest& request);
  Result<PluginInfo> Get(std::string_view plugin_id) const;
  std::vector<PluginInfo> List() const;
  /// Whoever calls makes sure that no model is registered with it. What is left of a plugin that
  /// has a descriptor is what that says.
  Status Remove(std::string_view plugin_id);

  /// The plugin to run `format`: `wanted`, if not empty, or else the first that declares it, those
  /// found by their descriptors before others. PLUGIN_NOT_FOUND, NO_PLUGIN.
  Result<std::string> Choose(std::string_view wanted, std::string_view format) const;
  bool Contains(std::string_view plugin_id) const;
  /// What the descriptors tell of files by their names.
  std::vector<package::FormatExtension> Extensions() const;
  /// The plugin, loaded now if it was not. PLUGIN_NOT_FOUND, NO_PLUGIN for one that awaits its file
  /// or failed, or why it cannot be loaded.
  Result<PluginHandle> Load(std::string_view plugin_id);

 private:
  struct Entry {
    registry::PluginRecord record;
    /// Known by its descriptor, not by a registration.
    bool described = false;
    /// Before it is loaded, what its descriptor says; afterwards the engine's, if it tells.
    std::vector<std::string> formats;
    Status error;
    std::shared_ptr<engine::Engine> engine;
  };

  PluginTable(PluginTableOptions options, registry::Registry& registry);

  void FindDescriptors();
  static Entry EntryOf(const PluginDescriptor& descriptor);
  const PluginDescriptor* FindDescriptorOf(std::string_view plugin_id) const;
  Entry LoadDescribed(std::string_view plugin_id);
  /// Fills the engine and formats of an entry whose record has a path.
  Status Open(Entry& entry);
  Result<PluginInfo> LoadAndPut(registry::PluginRecord record);
  std::optional<Entry> Find(std::string_view plugin_id) const;
  void Put(Entry entry);
  static PluginInfo InfoOf(const Entry& entry);
  static bool Runs(const Entry& entry, std::string_view format);

  const PluginTableOptions options_;
  const PathPolicy policy_;
  registry::Registry& registry_;
  // In the order of the plugin folders, by file name in each; one for each id.
  std::vector<PluginDescriptor> descriptors_;
  // Held while a plugin is registered, loaded or removed; taken before mutex_.
  Mutex loading_;
  mutable Mutex mutex_;
  // Those with descriptors first, the others in the order of registration.
  std::vector<Entry> entries_ GUARDED_BY(mutex_);
};

}  // namespace mlos::catalog
