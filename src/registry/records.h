// SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>
#include <map>
#include <string>

namespace mlos::registry {

/// How requests to a model are put together, as its caller asked for it.
struct BatchSettings {
  /// Items of one run at most; 1: never merge; 0: Core decides.
  std::int64_t max_batch_size = 0;
  std::int64_t preferred_batch_size = 0;  ///< 0: Core decides
  std::int64_t max_queue_delay_us = -1;   ///< -1: Core decides

  bool operator==(const BatchSettings&) const = default;
};

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
  BatchSettings batching;
  /// The state that the graph carries, as its caller declared it: names of inputs, each with the
  /// output that is its next value. Empty: Core finds out.
  std::map<std::string, std::string> state_pairs;
  /// Core died while loading it; not loaded again unless asked for.
  bool quarantined = false;
  std::int64_t registered_at = 0;  ///< seconds since the Unix epoch

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

  bool operator==(const PluginRecord&) const = default;
};

/// The files that were tried, and what tried them.
struct TrialKey {
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
