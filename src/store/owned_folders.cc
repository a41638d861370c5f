// SPDX-License-Identifier: MIT
#include "store/owned_folders.h"

#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>

#include <cerrno>
#include <cstdint>
#include <string_view>
#include <system_error>
#include <utility>

#include "base/files.h"
#include "base/log.h"

namespace mlos::store {
namespace {

namespace fs = std::filesystem;

constexpr std::string_view kStagingPrefix = ".staging-";
constexpr unsigned kFolderMode = 0700;

/// Nothing if it is no folder.
std::optional<std::uint64_t> BytesBelow(const fs::path& folder) {
  std::uint64_t bytes = 0;
  std::error_code error;
  for (const fs::directory_entry& entry : fs::recursive_directory_iterator(folder, error)) {
    std::error_code gone;
    if (const std::uintmax_t size = entry.file_size(gone); !gone) bytes += size;
  }
  return error ? std::nullopt : std::optional(bytes);
}

}  // namespace

OwnedFolders::Pin::Pin(OwnedFolders& folders, std::string name)
    : folders_(folders), name_(std::move(name)) {
  const MutexLock lock(folders_.mutex_);
  ++folders_.held_[name_].pins;
}

OwnedFolders::Pin::~Pin() { folders_.Release(name_); }

void OwnedFolders::Release(const std::string& name) {
  bool unused = false;
  {
    const MutexLock lock(mutex_);
    const auto held = held_.find(name);
    if (--held->second.pins > 0) return;
    unused = held->second.unused;
    held_.erase(held);
  }
  if (unused) Remove(name);
}

bool OwnedFolders::Mark(const std::string& name, bool unused) {
  const MutexLock lock(mutex_);
  const auto held = held_.find(name);
  if (held == held_.end()) return false;
  held->second.unused = unused;
  return true;
}

void OwnedFolders::Keep(const std::string& name) { Mark(name, false); }

Result<std::unique_ptr<OwnedFolders>> OwnedFolders::Open(fs::path directory,
                                                         const IsUsed& is_used) {
  MLOS_TRY(CreateDirectories(directory, kFolderMode));
  std::unique_ptr<OwnedFolders> folders(new OwnedFolders(std::move(directory)));
  folders->Sweep(is_used);
  return folders;
}

void OwnedFolders::Sweep(const IsUsed& is_used) {
  std::error_code error;
  for (const fs::directory_entry& entry : fs::directory_iterator(directory_, error)) {
    const std::string name = entry.path().filename();
    if (name.starts_with(kStagingPrefix)) {
      const MutexLock lock(mutex_);
      if (staging_.contains(entry.path())) continue;
    }
    const bool used = is_used(name);
    if (!Mark(name, !used) && !used) Remove(name);
  }
  if (error) {
    Log(LogLevel::kWarning, "cannot list a folder of Core's",
        {{"folder", directory_.filename().string()}, {"error", error.message()}});
  }
}

fs::path OwnedFolders::StagingName() {
  // The name of one that a former process has left may be taken.
  std::error_code error;
  fs::path name;
  do {
    name = directory_ / (std::string(kStagingPrefix) + std::to_string(++staged_));
  } while (fs::exists(fs::symlink_status(name, error)));
  return *staging_.insert(std::move(name)).first;
}

Result<fs::path> OwnedFolders::Stage() {
  fs::path staged;
  {
    const MutexLock lock(mutex_);
    staged = StagingName();
  }
  if (::mkdir(staged.c_str(), kFolderMode) != 0) {
    return ErrnoStatus(errno, "cannot create a folder for model files");
  }
  return staged;
}

Status OwnedFolders::Publish(const fs::path& staged, const std::string& name) {
  const fs::path folder = PathOf(name);
  Status published;
  {
    const MutexLock lock(mutex_);
    int renamed = ::renameat2(AT_FDCWD, staged.c_str(), AT_FDCWD, folder.c_str(), RENAME_NOREPLACE);
    if (renamed != 0 && errno == EEXIST) {
      renamed = ::renameat2(AT_FDCWD, staged.c_str(), AT_FDCWD, folder.c_str(), RENAME_EXCHANGE);
    }
    if (renamed != 0) published = ErrnoStatus(errno, "cannot publish a folder of model files");
  }
  // Either what failed, or the folder that was exchanged for the new one.
  Discard(staged);
  return published;
}

Status OwnedFolders::Sync() const { return FsyncDirectory(directory_); }

void OwnedFolders::Discard(const fs::path& staged) {
  std::error_code error;
  fs::remove_all(staged, error);
  if (error) {
    Log(LogLevel::kWarning, "cannot remove a folder of model files",
        {{"folder", staged.filename().string()}, {"error", error.message()}});
  }
  const MutexLock lock(mutex_);
  staging_.erase(staged);
}

void OwnedFolders::Remove(const std::string& name) {
  fs::path staged;
  {
    const MutexLock lock(mutex_);
    if (held_.contains(name)) return;
    // Out of sight first: a folder that is half removed must not look complete.
    staged = StagingName();
    std::error_code error;
    fs::rename(PathOf(name), staged, error);
    if (error) {
      staging_.erase(staged);
      return;
    }
  }
  Discard(staged);
}

std::uint64_t OwnedFolders::TotalBytes() const { return BytesBelow(directory_).value_or(0); }

std::optional<std::uint64_t> OwnedFolders::BytesOf(const std::string& name) const {
  return BytesBelow(PathOf(name));
}

}  // namespace mlos::store
