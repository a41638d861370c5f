// SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

#include "axon/store/layout.h"
#include "base/result.h"

namespace axon::store {

/// The contents of the store.
struct Usage {
  std::uint64_t models = 0;
  std::uint64_t objects = 0;
  /// Bytes of distinct files, each counted once.
  std::uint64_t object_bytes = 0;
  /// Bytes of the files of all models, as if each had its own.
  std::uint64_t model_bytes = 0;
  /// Objects that no model uses.
  std::uint64_t unused_objects = 0;
  std::uint64_t unused_bytes = 0;
  std::uint64_t partial_downloads = 0;
  std::uint64_t partial_bytes = 0;
  std::uint64_t free_bytes = 0;
};
mlos::Result<Usage> MeasureUsage(const Layout& layout);

/// Something that `cache clean` removes.
struct Leftover {
  enum class Kind : std::uint8_t { kObject, kPartialDownload, kStaging, kEmptyFolder };
  Kind kind;
  std::filesystem::path path;
  std::uint64_t size_bytes = 0;
};
std::string_view ToString(Leftover::Kind kind);

struct CleanReport {
  std::vector<Leftover> removed;
  /// Leftovers that could not be removed, with the reason.
  std::vector<std::string> problems;
  std::uint64_t removed_bytes = 0;
};

/// Removes objects that no model uses, partial downloads that no process uses, staging folders of
/// dead processes, and empty folders. With `dry_run` it only lists them.
mlos::Result<CleanReport> Clean(const Layout& layout, bool dry_run);

}  // namespace axon::store
