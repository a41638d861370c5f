// SPDX-License-Identifier: MIT
#pragma once

#include <compare>
#include <cstdint>
#include <filesystem>
#include <vector>

#include "base/unique_fd.h"
#include "package/digest.h"

namespace mlos::catalog {

/// One state of one file of this machine: another write to it gives it another change time.
struct FileState {
  std::uint64_t device = 0;
  std::uint64_t inode = 0;
  /// Nanoseconds since 1970.
  std::int64_t modified = 0;
  std::int64_t changed = 0;
  std::uint64_t size_bytes = 0;
  auto operator<=>(const FileState&) const = default;
};

struct KnownDigest {
  FileState state;
  package::Digest sha256;
};

/// The digests of files as text, for the next Core on the same state folder. Each line begins with
/// a digest of the rest of it, and the first names the machine's boot:
///
///     <sha256> mlos-digests 1 <boot>
///     <sha256> <device> <inode> <modified> <changed> <size> <sha256 of the file>
///
/// A line that is damaged or foreign counts for nothing, and so do all lines of an earlier boot:
/// after a power cut a file may lack bytes that it had. The worst that a lost line costs is that
/// the file is hashed once more, so nothing here waits for the disk, and nothing is an error.
/// Thread-compatible.
class DigestLog {
 public:
  /// Goes on with the file at `path`; fills `known` with what is in it, the latest last. Without a
  /// path nothing is kept.
  DigestLog(std::filesystem::path path, std::vector<KnownDigest>& known);

  void Append(const KnownDigest& known);
  /// Replaces all lines.
  void Rewrite(const std::vector<KnownDigest>& known);
  /// How many lines there are, also for files that have changed since.
  std::size_t lines() const { return lines_; }

 private:
  const std::filesystem::path path_;
  UniqueFd fd_;  ///< invalid: nothing is kept
  std::size_t lines_ = 0;
};

}  // namespace mlos::catalog
