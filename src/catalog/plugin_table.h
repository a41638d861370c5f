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
#include "catalog/plugin_info.h"
#include "engine/engine.h"
#include "registry/registry.h"

namespace mlos::catalog {

/// The plugin that Core brings itself.
inline constexpr std::string_view kOnnxPluginId = "onnx-runtime-builtin";

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

/// The registered plugins and the built-in one, which is loaded when it is first needed.
/// Registering and loading follow each other; looking up never waits for them. Thread-safe.
class PluginTable {
 public:
  /// Nothing is loaded yet.
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
  /// Whoever calls makes sure that no model is registered with it.
  Status Remove(std::string_view plugin_id);

  /// The plugin to run `format`: `wanted`, if not empty, or else the first that declares it, the
  /// built-in one before others. PLUGIN_NOT_FOUND, NO_PLUGIN.
  Result<std::string> Choose(std::string_view wanted, std::string_view format) const;
  bool Contains(std::string_view plugin_id) const;
  /// The plugin, loaded now if it was not. PLUGIN_NOT_FOUND, NO_PLUGIN for one that awaits its file
  /// or failed, or why it cannot be loaded.
  Result<PluginHandle> Load(std::string_view plugin_id);

 private:
  struct Entry {
    registry::PluginRecord record;
    bool builtin = false;
    Status error;
    std::shared_ptr<engine::Engine> engine;
  };

  PluginTable(PluginTableOptions options, registry::Registry& registry);

  void AddBuiltin();
  Entry LoadBuiltin(std::string_view plugin_id);
  Result<std::shared_ptr<engine::Engine>> Open(const registry::PluginRecord& record);
  Result<PluginInfo> LoadAndPut(registry::PluginRecord record);
  std::optional<Entry> Find(std::string_view plugin_id) const;
  void Put(Entry entry);
  static PluginInfo InfoOf(const Entry& entry);
  static bool Runs(const Entry& entry, std::string_view format);

  const PluginTableOptions options_;
  const PathPolicy policy_;
  registry::Registry& registry_;
  // Held while a plugin is registered, loaded or removed; taken before mutex_.
  Mutex loading_;
  mutable Mutex mutex_;
  // In the order of registration, the built-in one first.
  std::vector<Entry> entries_ GUARDED_BY(mutex_);
};

}  // namespace mlos::catalog
