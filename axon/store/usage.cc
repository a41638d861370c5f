// SPDX-License-Identifier: MIT
#include "axon/store/usage.h"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <map>

#include "axon/store/store.h"
#include "axon/store/walk.h"
#include "base/files.h"

namespace axon::store {
namespace {

namespace fs = std::filesystem;
using mlos::FileLock;
using mlos::Result;
using mlos::Status;
using mlos::UniqueFd;

template <typename Visit>
void ForEachFile(const fs::path& root, Visit visit) {
  ForEachBelow(root, [&visit](const fs::path& path, const struct stat& info) {
    if (S_ISREG(info.st_mode)) visit(path, info);
    return true;
  });
}

/// An object's hard links count its users; its own name is the first link.
bool IsUnused(const struct stat& info) { return info.st_nlink <= 1; }

bool BelongsTo(const fs::path& part, const fs::path& file) {
  return file.string().starts_with(part.string());
}

class Cleaner {
 public:
  Cleaner(const Layout& layout, bool dry_run) : layout_(layout), dry_run_(dry_run) {}

  CleanReport Run() {
    CleanObjects();
    CleanDownloads();
    CleanStaging();
    CleanEmptyFolders();
    return std::move(report_);
  }

 private:
  void CleanObjects() {
    ForEachFile(layout_.objects(), [this](const fs::path& path, const struct stat& info) {
      if (IsUnused(info)) Take(Leftover::Kind::kObject, path, info);
    });
  }

  void CleanDownloads() {
    std::map<fs::path, struct stat> files;
    std::vector<fs::path> parts;
    ForEachFile(layout_.downloads(), [&](const fs::path& path, const struct stat& info) {
      files.emplace(path, info);
      if (path.extension() == ".part") parts.push_back(path);
    });
    for (const fs::path& part : parts) CleanPart(part, files);
    for (const auto& [path, info] : files) {
      const bool noted = std::any_of(parts.begin(), parts.end(),
                                     [&](const fs::path& part) { return BelongsTo(part, path); });
      if (!noted) Take(Leftover::Kind::kPartialDownload, path, info);
    }
  }

  /// Removes a part with its notes, unless a process uses it.
  void CleanPart(const fs::path& part, const std::map<fs::path, struct stat>& files) {
    // Held to the end, so that no process starts to continue a part that is about to be removed.
    const UniqueFd fd(::open(part.c_str(), O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK));
    if (fd.valid() && ::flock(fd.get(), LOCK_EX | LOCK_NB) != 0) return;
    for (const auto& [path, info] : files) {
      if (path != part && BelongsTo(part, path)) {
        Take(Leftover::Kind::kPartialDownload, path, info);
      }
    }
    Take(Leftover::Kind::kPartialDownload, part, files.at(part));
  }

  void CleanStaging() {
    ForEachEntry(layout_.staging(), [this](const fs::path& path, const struct stat&) {
      const UniqueFd fd(::open(path.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
      if (!fd.valid() || ::flock(fd.get(), LOCK_EX | LOCK_NB) != 0) return;
      report_.removed.push_back({Leftover::Kind::kStaging, path});
      std::error_code failure;
      if (!dry_run_) fs::remove_all(path, failure);
      if (failure) report_.problems.push_back(path.string() + ": " + failure.message());
    });
  }

  /// Deepest first, so that a folder of empty folders goes as well.
  void CleanEmptyFolders() {
    std::vector<fs::path> folders;
    ForEachBelow(layout_.models(), [&folders](const fs::path& path, const struct stat& info) {
      if (!S_ISDIR(info.st_mode) || IsModelDirectory(path)) return false;
      folders.push_back(path);
      return true;
    });
    for (auto folder = folders.rbegin(); folder != folders.rend(); ++folder) {
      std::error_code error;
      if (!fs::is_empty(*folder, error) || error) continue;
      if (!dry_run_ && ::rmdir(folder->c_str()) != 0) continue;
      report_.removed.push_back({Leftover::Kind::kEmptyFolder, *folder});
    }
  }

  void Take(Leftover::Kind kind, const fs::path& path, const struct stat& info) {
    if (!dry_run_ && ::unlink(path.c_str()) != 0) {
      report_.problems.emplace_back(mlos::ErrnoStatus(errno, path.string()).message());
      return;
    }
    const auto size_bytes = static_cast<std::uint64_t>(info.st_size);
    report_.removed.push_back({kind, path, size_bytes});
    report_.removed_bytes += size_bytes;
  }

  const Layout& layout_;
  bool dry_run_;
  CleanReport report_;
};

}  // namespace

std::string_view ToString(Leftover::Kind kind) {
  constexpr std::array<std::string_view, 4> kNames = {"object", "partial download", "staging",
                                                      "empty folder"};
  return kNames[static_cast<std::size_t>(kind)];
}

Result<Usage> MeasureUsage(const Layout& layout) {
  const Store store(layout.root);
  Usage usage;
  for (const InstalledModel& model : MLOS_TRY(store.List())) {
    ++usage.models;
    ForEachFile(model.directory, [&usage](const fs::path&, const struct stat& info) {
      usage.model_bytes += static_cast<std::uint64_t>(info.st_size);
    });
  }
  ForEachFile(layout.objects(), [&usage](const fs::path&, const struct stat& info) {
    const auto size_bytes = static_cast<std::uint64_t>(info.st_size);
    ++usage.objects;
    usage.object_bytes += size_bytes;
    if (!IsUnused(info)) return;
    ++usage.unused_objects;
    usage.unused_bytes += size_bytes;
  });
  ForEachFile(layout.downloads(), [&usage](const fs::path& path, const struct stat& info) {
    if (path.extension() != ".part") return;
    ++usage.partial_downloads;
    usage.partial_bytes += static_cast<std::uint64_t>(info.st_size);
  });
  usage.free_bytes = MLOS_TRY(store.FreeBytes());
  return usage;
}

Result<CleanReport> Clean(const Layout& layout, bool dry_run) {
  std::error_code error;
  if (!fs::exists(layout.root, error)) return CleanReport{};
  const FileLock lock = MLOS_TRY(FileLock::Acquire(layout.lock()));
  return Cleaner(layout, dry_run).Run();
}

}  // namespace axon::store
