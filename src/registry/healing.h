// SPDX-License-Identifier: MIT
#pragma once

#include <filesystem>
#include <memory>

#include "base/result.h"
#include "registry/copy.h"
#include "registry/disk/sqlite.h"
#include "registry/findings.h"

namespace mlos::registry {

/// The registry's two files as they were found at start.
struct FoundFiles {
  std::filesystem::path path;  ///< of the main file
  /// Null where the main file is missing or no database.
  std::unique_ptr<disk::Database> main;
  Findings main_findings;
  Copy::Found copy;
  bool main_missing = false;
  bool copy_missing = false;
};

enum class Better { kMain, kCopy, kNeither };

/// The file to go by: a sound one; of two sound ones that with more changes; else one that can be
/// read at all.
Better BetterOf(const Findings& main, const Findings& copy);

/// Opens both files, brings the main one to this version's layout and looks for damage. Damage is a
/// finding; a failure is what may pass: OUT_OF_MEMORY, DISK_FULL, STATE_LOCKED.
Result<FoundFiles> FindFiles(const std::filesystem::path& path);

/// What the registry is made of once it is healed.
struct HealedFiles {
  std::unique_ptr<disk::Database> main;
  /// Null where the copy cannot be written, which is logged.
  std::unique_ptr<Copy> copy;
  std::int64_t generation = 0;
};

/// Makes both files sound and equal, and logs each damage by name. What both have lost becomes a
/// quarantined registration of the same id. STORE_CORRUPT if neither can be read.
Result<HealedFiles> Heal(FoundFiles files);

/// All that the main file holds.
Result<Content> ContentOf(disk::Database& database, std::int64_t generation);

}  // namespace mlos::registry
