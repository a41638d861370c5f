// SPDX-License-Identifier: MIT
#pragma once

#include <filesystem>

#include "base/status.h"
#include "daemon/config.h"

namespace mlos::daemon {

/// Applies the YAML file at `path` to the configuration. INVALID_CONFIG with file, line and reason
/// for text that is not YAML, an unknown or repeated key, a value of another type or out of range.
Status ApplyConfigFile(const std::filesystem::path& path, Config& config);

}  // namespace mlos::daemon
