// SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "engine/engine.h"

namespace mlos::catalog {

struct RegisterPluginRequest {
  std::string id;
  std::string name;
  std::string version;
  /// The shared object, in one of the plugin directories; empty for a registration that awaits its
  /// plugin.
  std::string path;
  /// JSON object handed to the plugin's initialize, or empty.
  std::string config;
};

enum class PluginState : std::uint8_t {
  kRegistered,  ///< known, nothing loaded
  kLoaded,
  kFailed,
};

/// "loaded".
std::string_view ToString(PluginState state);

struct PluginInfo {
  std::string id;
  std::string name;
  std::string version;
  std::string path;
  std::vector<std::string> formats;
  PluginState state = PluginState::kRegistered;
  Status error;
  engine::EngineHealth health = engine::EngineHealth::kOk;
  engine::MemoryReport memory;
  std::vector<engine::Gauge> gauges;
  std::vector<std::string> model_ids;
  /// True for the plugins Core brings itself.
  bool builtin = false;
};

}  // namespace mlos::catalog
