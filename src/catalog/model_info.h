// SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "base/status.h"
#include "engine/engine.h"
#include "settings/model_settings.h"

namespace mlos::catalog {

/// What is asked for when a model is registered. Only `model_id` and `path` are needed; the rest is
/// read from the package's manifest and the graph, and these fields override the manifest's.
struct RegisterModelRequest {
  std::string model_id;
  /// A model file, a directory with or without manifest.yaml, or an `.axon` archive.
  std::string path;
  std::string manifest_path;
  std::string name;
  std::string framework;
  std::string execution_format;
  std::string description;
  std::string plugin_id;
  /// Load it now, and again whenever Core starts.
  bool autoload = true;
  settings::ModelSettings settings;
};

enum class ModelState : std::uint8_t {
  kRegistered,   ///< known, never tried
  kLoading,      ///< being loaded
  kLoaded,       ///< answers
  kUnloaded,     ///< taken out of memory on request
  kFailed,       ///< loading failed; `error` says why
  kQuarantined,  ///< Core died while loading it; load it by hand to try again
};

/// "loaded".
std::string_view ToString(ModelState state);

/// Whether the model is being loaded, or will be when its turn comes after the start of Core.
constexpr bool IsComing(ModelState state, bool autoload) {
  return state == ModelState::kLoading || (state == ModelState::kRegistered && autoload);
}

/// The last look at a model's files on the disk, from their bytes or from what is remembered of
/// them.
struct FileCheck {
  std::int64_t at = 0;  ///< seconds since the Unix epoch; 0: none yet
  /// OK if they are what the model's digest says.
  Status found;
};

/// Everything the doors tell of a model.
struct ModelInfo {
  std::string model_id;
  std::string name;
  std::string version;
  std::string framework;
  std::string execution_format;
  std::string description;
  std::string path;
  std::string manifest_path;
  std::string plugin_id;
  /// "sha256:…" over everything that is served.
  std::string digest;
  /// False for packages of tools that wrote no digests.
  bool verified = false;
  bool autoload = true;
  /// As they were set; while the model is loaded, with the state pairs that were found.
  settings::ModelSettings settings;
  ModelState state = ModelState::kRegistered;
  /// Why the state is kFailed or kQuarantined.
  Status error;
  engine::ModelSchema schema;
  engine::MemoryReport memory;
  std::int64_t registered_at = 0;  ///< seconds since the Unix epoch
  /// Since when these very bytes are served; 0 while they are not.
  std::int64_t loaded_at = 0;
  FileCheck checked;
};

struct RegisterModelOutcome {
  ModelInfo info;
  /// False where the same id and digest were registered already.
  bool changed = true;
};

}  // namespace mlos::catalog
