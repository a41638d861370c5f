// SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <memory>
#include <utility>

#include "base/result.h"
#include "registry/copy.h"
#include "registry/disk/reserve.h"
#include "registry/disk/sqlite.h"
#include "registry/entries.h"
#include "registry/healing.h"

namespace mlos::registry {

/// Whether a change needs space on the disk, or makes some.
enum class Room : std::uint8_t { kNeeds, kMakes };

/// The registry's two files, which hold the same models and plugins: registry.db, which is read,
/// and registry.copy, from which it heals. Both count the changes:
///
///     change n+1:  main commits ──► the copy appends ──► main syncs ──► acknowledged
///
/// Both have been written when a change is acknowledged. After a kill at any moment, the file that
/// counts more is right: the copy is never ahead of a main file that has kept all it was given.
/// What the copy appends reaches the disk when the kernel writes it, so after a power cut it may be
/// behind; the main file never is. If the copy cannot be written, changes go on without it, which
/// is logged, and it is made anew before the next one.
///
/// Thread-compatible.
class Twin {
 public:
  /// Opens or creates both files and heals them: see Heal.
  static Result<std::unique_ptr<Twin>> Open(const std::filesystem::path& path);
  Twin(const Twin&) = delete;
  Twin& operator=(const Twin&) = delete;

  /// What is read, and where the journal of loads and the verdicts are.
  disk::Database& main() { return *main_; }

  using Edit = std::function<Status(disk::Database&)>;
  /// Makes one change of models and plugins: `edit` does it in the main file, inside a transaction,
  /// and `entry` says the same to the copy. It survives SIGKILL and power cut after success; after
  /// a failure nothing was changed, except that a change whose sync failed may show after a
  /// restart. What makes room may use the space in reserve.
  Status Change(Room room, const Edit& edit, const Entry& entry);
  /// DISK_FULL if only the space in reserve is left.
  Status CheckRoom() { return reserve_.Take(); }

 private:
  Twin(const std::filesystem::path& path, disk::Reserve reserve, HealedFiles files)
      : copy_path_(Copy::PathOf(path)),
        reserve_(std::move(reserve)),
        main_(std::move(files.main)),
        copy_(std::move(files.copy)),
        generation_(files.generation) {}

  Status CommitToMain(Room room, const Edit& edit);
  Status UseReserve();
  void AppendToCopy(const Entry& entry);
  void RenewCopy();
  void DropCopy(const Status& why);

  const std::filesystem::path copy_path_;
  disk::Reserve reserve_;
  const std::unique_ptr<disk::Database> main_;
  std::unique_ptr<Copy> copy_;  ///< null: behind, to be made anew
  std::int64_t generation_;     ///< of the main file
};

}  // namespace mlos::registry
