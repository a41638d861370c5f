// SPDX-License-Identifier: MIT
#include "store/packages.h"

#include <string>
#include <system_error>

#include "package/archive.h"
#include "package/digest.h"

namespace mlos::store {

namespace fs = std::filesystem;

Result<std::unique_ptr<Packages>> Packages::Open(fs::path directory,
                                                 const std::set<fs::path>& used) {
  const auto is_used = [&](const std::string& name) { return used.contains(directory / name); };
  auto folders = MLOS_TRY(OwnedFolders::Open(directory, is_used));
  return std::unique_ptr<Packages>(new Packages(std::move(folders)));
}

Result<Packages::Package> Packages::Unpack(const fs::path& archive, bool anew) {
  const std::string name = MLOS_TRY(package::DigestFile(archive)).sha256.Hex();
  Package package;
  package.folder = folders_->PathOf(name);
  package.pin = folders_->Hold(name);
  std::error_code error;
  if (!anew && fs::is_directory(package.folder, error)) {
    package.reused = true;
    return package;
  }
  const fs::path staged = MLOS_TRY(folders_->Stage());
  if (Status unpacked = package::ExtractArchive(archive, staged).status(); !unpacked.ok()) {
    folders_->Discard(staged);
    return unpacked;
  }
  MLOS_TRY(folders_->Publish(staged, name));
  MLOS_TRY(folders_->Sync());
  return package;
}

void Packages::Remove(const fs::path& folder) {
  if (Owns(folder)) folders_->Remove(folder.filename());
}

}  // namespace mlos::store
