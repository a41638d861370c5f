// SPDX-License-Identifier: MIT
#pragma once

#include <filesystem>

#include "axon/store/layout.h"
#include "base/result.h"
#include "package/digest.h"

namespace axon::store {

/// Every distinct file once, named by its SHA-256, read-only. An object that is there is whole and
/// survives a power cut. Calls that change something take the store's lock. Thread-compatible.
class Objects {
 public:
  explicit Objects(Layout layout) : layout_(std::move(layout)) {}

  /// True where the object is there with `size_bytes`; its bytes are not read.
  bool Has(const mlos::package::Digest& digest, std::uint64_t size_bytes) const;

  /// Reads the object's bytes; one that is not what its name says is removed, so that it is fetched
  /// again, and reported as CHECKSUM_MISMATCH.
  mlos::Status Check(const mlos::package::Digest& digest,
                     const mlos::package::HashProgress& progress) const;

  /// Makes `to` the object's file. FILE_NOT_FOUND where there is none.
  mlos::Status LinkTo(const mlos::package::Digest& digest, const std::filesystem::path& to) const;

  /// Takes a synced file of the store's file system in as the object `digest`, which the caller has
  /// compared with its bytes, and makes `to` a link to it; `file` itself is gone afterwards. `file`
  /// and `to` may be the same.
  mlos::Status Adopt(const std::filesystem::path& file, const mlos::package::Digest& digest,
                     const std::filesystem::path& to) const;

 private:
  Layout layout_;
};

/// Makes `to` another name of `from`, or a synced copy where the file system has no hard links.
mlos::Status LinkOrCopy(const std::filesystem::path& from, const std::filesystem::path& to);

}  // namespace axon::store
