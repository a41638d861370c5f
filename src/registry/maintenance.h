// SPDX-License-Identifier: MIT
#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "base/result.h"

namespace mlos::registry {

// What is done to a registry by hand. `registry` is the path of registry.db; `shared` says that a
// Core is running on it.

struct StateReport {
  /// Each damage with its file, then what becomes of it; else what there is.
  std::vector<std::string> lines;
  bool sound = true;
};

/// Looks for damage in both files and changes nothing. A failure is what kept it from looking.
Result<StateReport> CheckState(const std::filesystem::path& registry, bool shared);

/// Writes what is registered at one moment to a new file. ALREADY_EXISTS, STORE_CORRUPT where the
/// registry is damaged, DISK_FULL, IO_ERROR leave no file.
Status Backup(const std::filesystem::path& registry, bool shared,
              const std::filesystem::path& file);

struct Restored {
  std::size_t models = 0;
  std::size_t plugins = 0;
};

/// Makes the registry what a backup says, all or nothing. The former files are copied to the folder
/// `before-restore` beside it first. STORE_CORRUPT, UNIMPLEMENTED where the backup is not sound or
/// newer than this MLOS.
Result<Restored> Restore(const std::filesystem::path& registry, const std::filesystem::path& file);

}  // namespace mlos::registry
