// SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>
#include <string>

#include "settings/model_settings.h"

namespace mlos::registry {

/// A registered model, as it is kept across restarts.
struct ModelRecord {
  std::string model_id;
  std::string name;
  std::string version;
  std::string framework;
  std::string execution_format;
  std::string description;
  /// As it was registered: a file, a folder or an archive.
  std::string path;
  /// What is served: `path`, or the folder that an archive was unpacked to.
  std::string served_path;
  std::string manifest_path;
  std::string plugin_id;
  /// "sha256:…" over everything that is served.
  std::string digest;
  bool verified = false;
  bool autoload = true;
  settings::ModelSettings settings;
  /// Core died while loading it, or it is lost; not loaded again unless asked for.
  bool quarantined = false;
  std::int64_t registered_at = 0;  ///< seconds since the Unix epoch

  /// Only its id is left: the rest was damaged in both files of the registry.
  bool lost() const { return digest.empty(); }
  bool operator==(const ModelRecord&) const = default;
};

/// A registered plugin. The ones Core brings itself are not registered.
struct PluginRecord {
  std::string plugin_id;
  std::string name;
  std::string version;
  /// Empty for a registration that awaits its plugin.
  std::string path;
  std::string config;
  bool quarantined = false;
  std::int64_t registered_at = 0;

  /// As a model's.
  bool lost() const { return quarantined && path.empty(); }

  bool operator==(const PluginRecord&) const = default;
};

/// The files that were tried, and what tried them.
struct TrialKey {
  /// Of the files, and of what else they are loaded with.
  std::string digest;
  std::string plugin_id;
  std::string plugin_version;
};

/// How the first load of a model's files in a process of its own went. Only lasting verdicts are
/// kept: success, and the files' own fault.
struct Trial {
  bool passed = false;
  /// What was wrong with the files.
  std::string message;

  bool operator==(const Trial&) const = default;
};

}  // namespace mlos::registry
