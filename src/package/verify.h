// SPDX-License-Identifier: MIT
#pragma once

#include <filesystem>
#include <optional>
#include <span>
#include <string>
#include <vector>

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
  /// A sentence for people: what was expected and what was found.
  std::string message;
};

/// What a directory holds, held against its manifest.
struct VerifyReport {
  /// Files hashed, sorted by path, with what was found in them.
  std::vector<FileEntry> files;
  /// Empty when all is well.
  std::vector<FileProblem> problems;
  /// What only a legacy manifest may do: files it does not list, files it lists without a digest
  /// and does not have.
  std::vector<FileProblem> tolerated;

  bool ok() const { return problems.empty(); }
};

/// Hashes the files of `directory` and compares them with `manifest`. Every listed file must be
/// there, reached without symbolic links, regular, and of the size and digest listed. Files not
/// listed are problems for a strict manifest and tolerated for another, the manifest itself and the
/// install record apart; they are not hashed, execution files apart. The Status is about the
/// directory as a whole (unreadable, too many files); what is wrong with files is in the report.
Result<VerifyReport> VerifyDirectory(const std::filesystem::path& directory,
                                     const Manifest& manifest, const HashProgress& progress = {});
/// The same, with the digests that `digester` finds.
Result<VerifyReport> VerifyDirectory(const std::filesystem::path& directory,
                                     const Manifest& manifest, const FileDigester& digester);

/// OK, or CHECKSUM_MISMATCH that names the first problems of the report and counts the rest.
Status ToStatus(const VerifyReport& report);

/// One digest for several files: SHA-256 over "<sha256 hex>  <path>\n" of each, sorted by path.
/// Identifies what is served, whatever it is called. Every entry needs its sha256.
Digest CombineDigests(std::span<const FileEntry> files);

/// Relative paths of all regular files below `directory`, sorted. UNSAFE_PATH for a symbolic link,
/// device or name that IsSafeRelativePath refuses; INVALID_PACKAGE above 10,000 files or 32 levels.
Result<std::vector<std::string>> ListFiles(const std::filesystem::path& directory);

}  // namespace mlos::package
