// SPDX-License-Identifier: MIT
#pragma once

#include <algorithm>
#include <filesystem>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "base/files.h"
#include "base/result.h"
#include "package/digest.h"
#include "package/manifest.h"

namespace mlos::package {

enum class FileFault : std::uint8_t {
  kMissing,
  kUnsafe,  // a symbolic link, or neither a file nor a folder
  kSize,
  kDigest,
  kUnlisted,
  kUnreadable,
};

/// "size", "digest", …: a stable word for programs.
std::string_view ToString(FileFault fault);

struct FileProblem {
  std::string path;
  FileFault fault;
  /// A sentence for people: the expected and the found value.
  std::string message;
  /// Why it could not be read, if that is its fault.
  Reason reason = Reason::kChecksumMismatch;

  /// Nothing is known of the file's bytes: the disk, the machine's load or its rights are at fault.
  bool unknown() const {
    return reason == Reason::kIoError || reason == Reason::kOverloaded ||
           reason == Reason::kOutOfMemory || reason == Reason::kPermissionDenied;
  }
};

/// The comparison of a directory with its manifest.
struct VerifyReport {
  /// Hashed files, sorted by path, with the found size and digest.
  std::vector<FileEntry> files;
  /// Empty when all is well.
  std::vector<FileProblem> problems;
  /// Faults that only a legacy manifest may have: unlisted files, and missing files that are listed
  /// without a digest.
  std::vector<FileProblem> tolerated;

  bool ok() const { return problems.empty(); }
  /// Files could not be read, and none is known to differ.
  bool unknown() const {
    return !ok() && std::all_of(problems.begin(), problems.end(),
                                [](const FileProblem& problem) { return problem.unknown(); });
  }
};

/// Hashes the files of `directory` and compares them with `manifest`. Every listed file must be
/// there, reached without symbolic links, regular, and of the size and digest listed. Unlisted
/// files are problems for a strict manifest and tolerated for another, except the manifest itself
/// and the install record. They are not hashed, except execution files. The Status is about the
/// directory as a whole (unreadable, too many files); problems of files are in the report.
Result<VerifyReport> VerifyDirectory(const std::filesystem::path& directory,
                                     const Manifest& manifest, const HashProgress& progress = {});
/// The same, with the digests that `digester` finds.
Result<VerifyReport> VerifyDirectory(const std::filesystem::path& directory,
                                     const Manifest& manifest, const FileDigester& digester);

/// OK, or CHECKSUM_MISMATCH that names the first problems of the report and counts the rest. If
/// files could not be read and no other differs, the first one's reason.
Status ToStatus(const VerifyReport& report);

/// One digest for several files: SHA-256 over "<sha256 hex>  <path>\n" of each, sorted by path. It
/// identifies the served model independently of its name. Every entry needs its sha256.
Digest CombineDigests(std::span<const FileEntry> files);

/// Relative paths of all regular files below `directory`, sorted. UNSAFE_PATH for a device, a name
/// that IsSafeRelativePath refuses or a symbolic link that `open` does; INVALID_PACKAGE above
/// 10,000 files or 32 levels. Links to folders are not followed.
Result<std::vector<std::string>> ListFiles(const std::filesystem::path& directory,
                                           const FileOpener& open = &OpenBeneath);

}  // namespace mlos::package
