// SPDX-License-Identifier: MIT
#pragma once

#include <filesystem>

#include "base/result.h"
#include "daemon/config.h"

namespace mlos::daemon {

// What `mlos_core` does to a state folder by hand. Each prints to standard output and returns the
// exit code.

/// `--check-state`: 0 if the registry is sound, else 1. Changes nothing.
Result<int> CheckState(const Config& config);
/// `--backup FILE`, also while a Core runs.
Result<int> BackUp(const Config& config, const std::filesystem::path& file);
/// `--restore FILE`. STATE_LOCKED while a Core runs.
Result<int> Restore(const Config& config, const std::filesystem::path& file);

}  // namespace mlos::daemon
