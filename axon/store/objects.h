// SPDX-License-Identifier: MIT
#pragma once

#include <filesystem>

#include "axon/store/layout.h"
#include "base/result.h"
#include "package/digest.h"

namespace axon::store {

/// Every distinct file once, named by its SHA-256, read-only. An object was whole when it came and
/// survives a power cut; disks and users damage files all the same, so nothing is linked from here
/// whose bytes were not read just before. Thread-compatible.
class Objects {
 public:
  explicit Objects(Layout layout) : layout_(std::move(layout)) {}

  /// True where the object is there with `size_bytes`; its bytes are not read.
  bool Has(const mlos::package::Digest& digest, std::uint64_t size_bytes) const;

  /// Makes `to`, which is not there yet, the object's file. FILE_NOT_FOUND where there is none;
  /// STORE_CORRUPT where its bytes are not what its name says, or cannot be read; CANCELLED where
  /// `progress` says so. After a failure `to` is not there.
  mlos::Status LinkTo(const mlos::package::Digest& digest, const std::filesystem::path& to,
                      const mlos::package::HashProgress& progress) const;

  /// Takes in a synced file of the store's file system, which the caller has compared with `digest`
  /// and nobody else writes to, and makes `to` a link to the object; `file` is gone afterwards. An
  /// object that is there already stays if its bytes are right, so that equal files are kept once,
  /// and otherwise gives way to `file`. Models that link a damaged object keep it, and
  /// `axon verify` names them.
  mlos::Status Adopt(const std::filesystem::path& file, const mlos::package::Digest& digest,
                     const std::filesystem::path& to,
                     const mlos::package::HashProgress& progress) const;

 private:
  /// Puts `file` in the place of whatever is the object, under the store's lock.
  mlos::Status Place(const std::filesystem::path& file, const mlos::package::Digest& digest,
                     const std::filesystem::path& to) const;

  Layout layout_;
};

}  // namespace axon::store
