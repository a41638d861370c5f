// SPDX-License-Identifier: MIT
#pragma once

#include <filesystem>

#include "axon/store/layout.h"
#include "base/result.h"
#include "package/digest.h"

namespace axon::store {

/// Every distinct file once, named by its SHA-256, read-only. An object was complete when it came
/// and survives a power cut. Disks and users may still damage files, so an object's bytes are read
/// just before it is linked. Thread-compatible.
class Objects {
 public:
  explicit Objects(Layout layout) : layout_(std::move(layout)) {}

  /// True if the object is there with `size_bytes`; its bytes are not read.
  bool Has(const mlos::package::Digest& digest, std::uint64_t size_bytes) const;

  /// Makes `to`, which must not exist yet, a link to the object. FILE_NOT_FOUND if there is no
  /// object; STORE_CORRUPT if its bytes differ from its name or cannot be read; CANCELLED if
  /// `progress` says so. After a failure `to` does not exist.
  mlos::Status LinkTo(const mlos::package::Digest& digest, const std::filesystem::path& to,
                      const mlos::package::HashProgress& progress) const;

  /// Takes in a synced file of the store's file system, which the caller has compared with `digest`
  /// and no other process writes to, and makes `to` a link to the object; `file` is gone
  /// afterwards. An object that is there already stays if its bytes are right, so that equal files
  /// are kept once, and otherwise gives way to `file`. Models that link a damaged object keep it,
  /// and `axon verify` names them.
  mlos::Status Adopt(const std::filesystem::path& file, const mlos::package::Digest& digest,
                     const std::filesystem::path& to,
                     const mlos::package::HashProgress& progress) const;

 private:
  /// Replaces the object by `file`, under the store's lock.
  mlos::Status Place(const std::filesystem::path& file, const mlos::package::Digest& digest,
                     const std::filesystem::path& to) const;

  Layout layout_;
};

}  // namespace axon::store
