// SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>

#include "engine/engine.h"

namespace mlos::probe {

/// What the child shall load, and within which bounds.
struct Request {
  std::filesystem::path plugin_path;
  std::string plugin_id;
  /// JSON object for the plugin, or empty.
  std::string plugin_config;
  /// But for its thread_count, which the child is not told: a trial computes nothing.
  engine::ModelSource source;
  std::uint64_t arena_bytes_max = 0;
  /// Address space the child may use; 0: unlimited.
  std::uint64_t memory_bytes_max = 0;
  /// Processor time the child may use.
  std::int64_t cpu_seconds_max = 0;
};

}  // namespace mlos::probe
