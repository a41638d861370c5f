// SPDX-License-Identifier: MIT
#pragma once

// `.axon`: a tar of one model directory, plain or compressed with gzip or zstd. Ours has
// manifest.yaml first and the files after it in order; the existing tool's is a tar.gz in any
// order.

#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

#include "base/result.h"
#include "package/manifest.h"

namespace mlos::package {

enum class Compression : std::uint8_t { kNone, kGzip, kZstd };

/// By the name's end: ".gz" and ".tgz" are gzip, ".zst" is zstd, anything else plain.
Compression CompressionOf(const std::filesystem::path& archive);

/// The limits beyond which an archive is refused.
struct ArchiveLimits {
  std::uint64_t entries_max = 10'000;
  std::uint64_t bytes_max = std::uint64_t{256} << 30;
  /// Unpacked bytes per packed byte, checked after the first MiB.
  std::uint64_t ratio_max = 200;
};

struct ArchiveFile {
  std::string path;
  std::uint64_t size_bytes = 0;
  bool operator==(const ArchiveFile&) const = default;
};

/// Reads an archive from end to end and writes nothing. It may hold only regular files and folders
/// under safe relative names, none twice, none both file and folder, all within `limits`; otherwise
/// INVALID_PACKAGE. Files in the archive's order.
Result<std::vector<ArchiveFile>> ListArchive(const std::filesystem::path& archive,
                                             const ArchiveLimits& limits = {});

/// The manifest inside an archive, without unpacking the rest. INVALID_PACKAGE if it has none.
Result<ParsedManifest> ReadArchivedManifest(const std::filesystem::path& archive,
                                            const ArchiveLimits& limits = {});

/// Does ListArchive, checks the free space (DISK_FULL), and only then writes the files below
/// `staging`, which must be an empty folder of the caller's. No symbolic link is followed and no
/// file overwritten; files and folders are synced, so that a rename of `staging` publishes them.
/// After a failure `staging` may hold a part; the caller removes it.
Result<std::vector<ArchiveFile>> ExtractArchive(const std::filesystem::path& archive,
                                                const std::filesystem::path& staging,
                                                const ArchiveLimits& limits = {});

/// Packs `manifest` and the files it lists from `directory` into `archive`, which appears whole or
/// not at all. Equal input gives equal bytes: sorted, no times, owners or modes. A file that
/// differs from the manifest is CHECKSUM_MISMATCH. `progress` as for hashing.
Status WriteArchive(const std::filesystem::path& directory, const Manifest& manifest,
                    const std::filesystem::path& archive, Compression compression,
                    const HashProgress& progress = {});

}  // namespace mlos::package
