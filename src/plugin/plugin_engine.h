// SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "engine/engine.h"

namespace mlos::plugin {

struct PluginOptions {
  /// The plugin must name itself so; empty accepts any id.
  std::string expected_id;
  /// JSON object for the plugin's initialize; empty for none.
  std::string config;
  /// Threads the plugin may compute with; 0: one for each core.
  std::uint32_t thread_count = 0;
  /// Memory for running models, weights apart; 0: unlimited.
  std::uint64_t arena_bytes_max = 0;
  /// What its descriptor says that it runs. A plugin that declares formats declares these too.
  std::vector<std::string> promised_formats;
};

/// An SMI plugin in this process, as an engine. Models, and responses whose tensors the plugin
/// owns, keep its code mapped: the plugin is cleaned up and unmapped when the last of them and of
/// the engine's references dies. Thread-safe.
class PluginEngine : public engine::Engine {
 public:
  /// The SMI_VERSION that the plugin was compiled against.
  virtual std::uint32_t smi_version() const = 0;
};

}  // namespace mlos::plugin
