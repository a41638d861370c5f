// SPDX-License-Identifier: MIT
#include "package/verify.h"

#include <sys/stat.h>

#include <algorithm>
#include <map>
#include <set>
#include <system_error>
#include <utility>

#include "base/files.h"
#include "base/text.h"

namespace mlos::package {
namespace {

namespace fs = std::filesystem;

constexpr std::size_t kFilesMax = 10'000;
constexpr int kLevelsMax = 32;

/// Beside a package's files, never listed in its manifest.
bool IsBookkeeping(std::string_view path) {
  return path == kManifestFileName || path == kInstallRecordFileName;
}

FileFault FaultOf(const Status& status) {
  switch (status.reason()) {
    case Reason::kFileNotFound:
      return FileFault::kMissing;
    case Reason::kUnsafePath:
      return FileFault::kUnsafe;
    default:
      return FileFault::kUnreadable;
  }
}

/// Holds the files of one directory against one manifest.
class Verifier {
 public:
  Verifier(const fs::path& directory, const Manifest& manifest, const FileDigester& digester)
      : directory_(directory), manifest_(manifest), digester_(digester) {}

  Result<VerifyReport> Run() {
    for (const FileEntry& file : manifest_.format.files) MLOS_TRY(CheckListed(file));
    for (const ExecutionFile& file : manifest_.format.execution_files) {
      if (checked_.insert(file.path).second) MLOS_TRY(CheckExecuted(file.path));
    }
    for (const std::string& path : MLOS_TRY(ListFiles(directory_))) {
      if (!IsBookkeeping(path) && !checked_.contains(path)) ReportUnlisted(path);
    }
    std::sort(report_.files.begin(), report_.files.end(),
              [](const FileEntry& a, const FileEntry& b) { return a.path < b.path; });
    return std::move(report_);
  }

 private:
  /// Hashes a file into the report; nullptr if that fails, which `failed` then holds.
  Result<const FileEntry*> Hash(const std::string& path, Status& failed) {
    const auto digest = digester_(directory_, path);
    if (digest.ok()) {
      report_.files.push_back({path, digest->size_bytes, digest->sha256});
      return &report_.files.back();
    }
    if (digest.status().reason() == Reason::kCancelled) return digest.status();
    failed = digest.status();
    return nullptr;
  }

  void Problem(const std::string& path, FileFault fault, std::string message) {
    report_.problems.push_back({path, fault, std::move(message)});
  }
  void Unhashed(const std::string& path, const Status& why) {
    Problem(path, FaultOf(why), std::string(why.message()));
    if (FaultOf(why) == FileFault::kUnreadable) report_.problems.back().reason = why.reason();
  }
  void Tolerate(const std::string& path, FileFault fault, std::string message) {
    report_.tolerated.push_back({path, fault, std::move(message)});
  }

  /// Reports a file whose size differs from the manifest. A file that cannot be opened is left to
  /// the hashing.
  bool HasOtherSize(const FileEntry& listed) {
    const auto fd = OpenBeneath(directory_, listed.path);
    struct stat info{};
    if (!fd.ok() || ::fstat(fd->get(), &info) != 0 || !S_ISREG(info.st_mode)) return false;
    const auto size_bytes = static_cast<std::uint64_t>(info.st_size);
    if (size_bytes == listed.size_bytes) return false;
    Problem(listed.path, FileFault::kSize,
            "has " + std::to_string(size_bytes) + " bytes, the manifest says " +
                std::to_string(listed.size_bytes));
    return true;
  }

  Status CheckListed(const FileEntry& listed) {
    checked_.insert(listed.path);
    const bool has_size = listed.sha256 || listed.size_bytes != 0;
    // Before it is hashed: a file of a terabyte that should have a kilobyte costs nothing.
    if (has_size && HasOtherSize(listed)) return OkStatus();
    Status failed;
    const FileEntry* found = MLOS_TRY(Hash(listed.path, failed));
    if (found == nullptr) {
      const FileFault fault = FaultOf(failed);
      // The existing tool lists pytorch_model.bin whether it is there or not.
      const bool harmless = fault == FileFault::kMissing && !listed.sha256;
      if (harmless) Tolerate(listed.path, fault, "is listed but missing");
      if (!harmless) Unhashed(listed.path, failed);
      return OkStatus();
    }
    if (listed.sha256 && found->sha256 != listed.sha256) {
      Problem(listed.path, FileFault::kDigest,
              "has sha256 " + found->sha256->Hex() + ", the manifest says " + listed.sha256->Hex());
    }
    return OkStatus();
  }

  /// An execution file that `files` does not list: only a legacy manifest may do that.
  Status CheckExecuted(const std::string& path) {
    Status failed;
    const FileEntry* found = MLOS_TRY(Hash(path, failed));
    if (found == nullptr) Unhashed(path, failed);
    if (found != nullptr) ReportUnlisted(path);
    return OkStatus();
  }

  void ReportUnlisted(const std::string& path) {
    constexpr const char* kMessage = "is not listed in the manifest";
    if (manifest_.strict()) return Problem(path, FileFault::kUnlisted, kMessage);
    Tolerate(path, FileFault::kUnlisted, kMessage);
  }

  const fs::path& directory_;
  const Manifest& manifest_;
  const FileDigester& digester_;
  std::set<std::string, std::less<>> checked_;
  VerifyReport report_;
};

/// Lists the files of a folder.
class Lister {
 public:
  Lister(const fs::path& directory, const FileOpener& open) : directory_(directory), open_(open) {}

  Result<std::vector<std::string>> List() {
    MLOS_TRY(Collect("", 1));
    std::sort(files_.begin(), files_.end());
    return std::move(files_);
  }

 private:
  Status Collect(const std::string& prefix, int level) {
    if (level > kLevelsMax) {
      return {Reason::kInvalidPackage,
              "folders are nested more than " + std::to_string(kLevelsMax) + " deep"};
    }
    std::error_code error;
    fs::directory_iterator entries(directory_ / prefix, error);
    for (; !error && entries != fs::directory_iterator(); entries.increment(error)) {
      const std::string relative = prefix + entries->path().filename().string();
      if (!IsSafeRelativePath(relative)) {
        return {Reason::kUnsafePath, "'" + Excerpt(relative) + "' is not a plain file name"};
      }
      const bool file = MLOS_TRY(IsFile(*entries, relative));
      MLOS_TRY(file ? Add(relative) : Collect(relative + "/", level + 1));
    }
    return error ? ErrnoStatus(error.value(), "cannot list the model's folder") : OkStatus();
  }

  Status Add(const std::string& relative) {
    if (files_.size() == kFilesMax) {
      return {Reason::kInvalidPackage,
              "the folder has more than " + std::to_string(kFilesMax) + " files"};
    }
    files_.push_back(relative);
    return OkStatus();
  }

  /// The kind of an entry: true for a file, false for a folder.
  Result<bool> IsFile(const fs::directory_entry& entry, const std::string& relative) const {
    std::error_code error;
    const fs::file_status status = entry.symlink_status(error);
    if (error) return ErrnoStatus(error.value(), "cannot read " + relative);
    if (fs::is_regular_file(status)) return true;
    if (fs::is_directory(status)) return false;
    if (!fs::is_symlink(status)) {
      return Status(Reason::kUnsafePath,
                    "'" + Excerpt(relative) + "' is neither a file nor a folder");
    }
    if (open_(directory_, relative).ok()) return true;
    return Status(Reason::kUnsafePath, "'" + Excerpt(relative) +
                                           "' is a symbolic link that leads to no file or out of "
                                           "the places that a model's files may lie in");
  }

  const fs::path& directory_;
  const FileOpener& open_;
  std::vector<std::string> files_;
};

}  // namespace

std::string_view ToString(FileFault fault) {
  switch (fault) {
    case FileFault::kMissing:
      return "missing";
    case FileFault::kUnsafe:
      return "unsafe";
    case FileFault::kSize:
      return "size";
    case FileFault::kDigest:
      return "digest";
    case FileFault::kUnlisted:
      return "unlisted";
    case FileFault::kUnreadable:
      return "unreadable";
  }
  return "unknown";
}

Result<VerifyReport> VerifyDirectory(const fs::path& directory, const Manifest& manifest,
                                     const HashProgress& progress) {
  const FileDigester digester = [&](const fs::path& folder, std::string_view relative) {
    return DigestBeneath(folder, relative, progress);
  };
  return Verifier(directory, manifest, digester).Run();
}

Result<VerifyReport> VerifyDirectory(const fs::path& directory, const Manifest& manifest,
                                     const FileDigester& digester) {
  return Verifier(directory, manifest, digester).Run();
}

Status ToStatus(const VerifyReport& report) {
  constexpr std::size_t kNamed = 3;
  if (report.ok()) return OkStatus();
  std::string message =
      report.unknown() ? "the files cannot be read" : "the files differ from the manifest";
  for (std::size_t i = 0; i < std::min(kNamed, report.problems.size()); ++i) {
    const FileProblem& problem = report.problems[i];
    message += (i == 0 ? ": '" : "; '") + Excerpt(problem.path) + "': " + problem.message;
  }
  if (report.problems.size() > kNamed) {
    message += "; and " + std::to_string(report.problems.size() - kNamed) + " more";
  }
  return {report.unknown() ? report.problems.front().reason : Reason::kChecksumMismatch,
          std::move(message)};
}

Digest CombineDigests(std::span<const FileEntry> files) {
  std::map<std::string_view, const FileEntry*> sorted;
  for (const FileEntry& file : files) sorted.emplace(file.path, &file);
  Hasher hasher = Hasher::Sha256();
  for (const auto& [path, file] : sorted) {
    MLOS_CHECK(file->sha256.has_value(), "only digested files can be combined");
    hasher.Update(file->sha256->Hex());
    hasher.Update("  ");
    hasher.Update(path);
    hasher.Update("\n");
  }
  return hasher.FinishDigest();
}

Result<std::vector<std::string>> ListFiles(const fs::path& directory, const FileOpener& open) {
  return Lister(directory, open).List();
}

}  // namespace mlos::package
