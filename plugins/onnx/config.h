// SPDX-License-Identifier: MIT
#pragma once

#include <onnxruntime_c_api.h>

namespace mlos::onnx {

/// The plugin's configuration.
struct Config {
  /// `graph_optimization`: "all" (the default), "extended", "basic" or "off".
  GraphOptimizationLevel graph_optimization = ORT_ENABLE_ALL;
};

/// Reads the JSON object that initialize was given; null is the defaults. Throws Error
/// (INVALID_PARAM), which names the key, for anything else than the keys above.
Config ParseConfig(const char* json);

/// Models have no options: null and an object without members are fine. Throws Error
/// (INVALID_PARAM), which names the first option, for anything else.
void CheckOptions(const char* json);

}  // namespace mlos::onnx
