// SPDX-License-Identifier: MIT
#pragma once

#include <filesystem>
#include <string>

#include "axon/install/installer.h"
#include "axon/store/store.h"
#include "base/result.h"
#include "package/archive.h"

namespace axon::install {

struct Imported {
  store::InstalledModel model;
  /// False if the package had no digests of its own.
  bool verified = false;
  /// The same package was already installed and is intact; nothing was changed.
  bool up_to_date = false;
};

/// Installs a `.axon` file. A package of ours must agree with its manifest exactly
/// (CHECKSUM_MISMATCH). One of the existing tool gets its digests now and is marked unverified.
/// ALREADY_EXISTS if another package has its id, unless `force`, which installs the very same one
/// again as well; INVALID_PACKAGE, INVALID_MANIFEST, INVALID_MODEL otherwise. A package that is
/// refused changes nothing.
mlos::Result<Imported> ImportArchive(const InstallContext& context,
                                     const std::filesystem::path& archive, bool force);

/// Writes an installed model as a `.axon` file, which appears whole or not at all.
mlos::Status ExportArchive(const InstallContext& context, const store::InstalledModel& model,
                           const std::filesystem::path& archive);

}  // namespace axon::install
