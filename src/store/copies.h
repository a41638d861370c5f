// SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include "base/files.h"
#include "base/keyed_mutex.h"
#include "base/result.h"
#include "package/digest.h"
#include "package/model_files.h"
#include "store/owned_folders.h"

namespace mlos::store {

/// What engines open: copies of registered models' files that only Core writes, one folder for each
/// digest. Whoever may write to the originals can neither change what is served nor end Core by
/// taking bytes away that are mapped, and what was hashed is what an engine gets. A copy that a
/// power cut damaged is found by its digest and made again. Thread-safe.
class Copies {
 public:
  struct Copy {
    /// As those that were copied, but for the folder and the graph's name; facts are those of the
    /// copied graph.
    package::ModelFiles files;
    /// Keeps the folder.
    std::shared_ptr<OwnedFolders::Pin> pin;
  };

  /// Called with each file that was copied, as it is now, and its digest.
  using OnCopied = std::function<void(int fd, const package::FileDigest& digest)>;

  /// Opens or creates `directory` and sweeps it. `bytes_max` is what all copies may have together;
  /// 0: no limit but the disk's.
  static Result<std::unique_ptr<Copies>> Open(const std::filesystem::path& directory,
                                              const OwnedFolders::IsUsed& is_used,
                                              std::uint64_t bytes_max);

  /// The copy of these files, which `open` opens: made where there is none, or where `digester`
  /// finds that it is damaged. CHECKSUM_MISMATCH if a file is not what it was when its digest was
  /// found, DISK_FULL.
  Result<Copy> Take(const package::ModelFiles& files, const FileOpener& open,
                    const package::FileDigester& digester, const OnCopied& on_copied);
  // See OwnedFolders.
  void Sweep(const OwnedFolders::IsUsed& is_used) { folders_->Sweep(is_used); }
  void Keep(std::string_view digest) { folders_->Keep(NameOf(digest)); }
  /// What the copy for a model of this digest takes on the disk; nothing where there is none.
  std::optional<std::uint64_t> BytesOf(std::string_view digest) const;
  /// The name of the folder for a model of this digest, as Digest::ToString has it.
  static std::string NameOf(std::string_view digest) {
    return std::string(digest.substr(digest.find(':') + 1));
  }

 private:
  Copies(std::unique_ptr<OwnedFolders> folders, std::uint64_t bytes_max)
      : folders_(std::move(folders)), bytes_max_(bytes_max) {}

  Status CheckRoom(const package::ModelFiles& files) const;
  /// Makes `copy`, a folder of `files` under names that follow from their digest.
  Status Make(const package::ModelFiles& files, const package::ModelFiles& copy,
              const FileOpener& open, const OnCopied& on_copied);

  /// Who looks at a copy and makes it: the next one finds it there.
  KeyedMutex making_;
  const std::unique_ptr<OwnedFolders> folders_;
  const std::uint64_t bytes_max_;
};

}  // namespace mlos::store
