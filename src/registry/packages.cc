// SPDX-License-Identifier: MIT
#include "registry/packages.h"

#include <fcntl.h>
#include <stdio.h>
#include <unistd.h>

#include <cerrno>
#include <string_view>
#include <system_error>
#include <utility>

#include "base/files.h"
#include "base/log.h"
#include "package/archive.h"
#include "package/digest.h"

namespace mlos::registry {
namespace {

namespace fs = std::filesystem;

constexpr std::string_view kStagingPrefix = ".staging-";

void RemoveTree(const fs::path& folder) {
  std::error_code error;
  fs::remove_all(folder, error);
  if (error) {
    Log(LogLevel::kWarning, "cannot remove a folder of unpacked files",
        {{"folder", folder.filename().string()}, {"error", error.message()}});
  }
}

}  // namespace

Packages::Pin::Pin(Packages& packages, std::string name)
    : packages_(packages), name_(std::move(name)) {
  const MutexLock lock(packages_.mutex_);
  ++packages_.pins_[name_];
}

Packages::Pin::~Pin() {
  const MutexLock lock(packages_.mutex_);
  if (--packages_.pins_[name_] == 0) packages_.pins_.erase(name_);
}

Result<std::unique_ptr<Packages>> Packages::Open(fs::path directory,
                                                 const std::set<fs::path>& used) {
  MLOS_TRY(CreateDirectories(directory));
  std::unique_ptr<Packages> packages(new Packages(std::move(directory)));
  packages->Sweep(used);
  return packages;
}

void Packages::Sweep(const std::set<fs::path>& used) const {
  std::error_code error;
  for (const fs::directory_entry& entry : fs::directory_iterator(directory_, error)) {
    if (used.find(entry.path()) == used.end()) RemoveTree(entry.path());
  }
  if (error) {
    Log(LogLevel::kWarning, "cannot list the unpacked packages", {{"error", error.message()}});
  }
}

fs::path Packages::StagingName() {
  const MutexLock lock(mutex_);
  return directory_ / (std::string(kStagingPrefix) + std::to_string(++staged_));
}

Result<Packages::Package> Packages::Unpack(const fs::path& archive, bool anew) {
  const package::FileDigest digest = MLOS_TRY(package::DigestFile(archive));
  Package package;
  package.folder = directory_ / digest.sha256.Hex();
  package.pin = std::make_unique<Pin>(*this, digest.sha256.Hex());
  std::error_code error;
  if (!anew && fs::is_directory(package.folder, error)) {
    package.reused = true;
    return package;
  }
  const fs::path staging = StagingName();
  MLOS_TRY(CreateDirectories(staging));
  Status unpacked = package::ExtractArchive(archive, staging).status();
  if (unpacked.ok()) unpacked = Publish(staging, package.folder);
  // Either what failed, or the folder that was exchanged for the new one.
  RemoveTree(staging);
  MLOS_TRY(std::move(unpacked));
  return package;
}

// A folder that another thread has published meanwhile, or that was broken, changes places with the
// new one, which is at least as good.
Status Packages::Publish(const fs::path& staging, const fs::path& folder) {
  const MutexLock lock(mutex_);
  int renamed = ::renameat2(AT_FDCWD, staging.c_str(), AT_FDCWD, folder.c_str(), RENAME_NOREPLACE);
  if (renamed != 0 && errno == EEXIST) {
    renamed = ::renameat2(AT_FDCWD, staging.c_str(), AT_FDCWD, folder.c_str(), RENAME_EXCHANGE);
  }
  if (renamed != 0) return ErrnoStatus(errno, "cannot publish the unpacked archive");
  return FsyncDirectory(directory_);
}

bool Packages::Owns(const fs::path& folder) const { return folder.parent_path() == directory_; }

void Packages::Remove(const fs::path& folder) {
  if (!Owns(folder)) return;
  const fs::path staging = StagingName();
  {
    const MutexLock lock(mutex_);
    if (pins_.find(folder.filename().string()) != pins_.end()) return;
    // Out of sight first: a folder that is half removed must not look complete.
    std::error_code error;
    fs::rename(folder, staging, error);
    if (error) return;
  }
  RemoveTree(staging);
}

}  // namespace mlos::registry
