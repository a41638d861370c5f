// SPDX-License-Identifier: MIT
#pragma once

#include <filesystem>
#include <string_view>

#include "base/model_id.h"
#include "package/digest.h"

namespace axon::store {

/// Where things lie below the cache folder:
///
///   objects/sha256/ab/<64 hex>          every distinct file once, read-only
///   models/<namespace>/<name…>/<version>/   hard links to objects, manifest.yaml: whole or absent
///   downloads/<digest>.part             what came of files that are not whole yet
///   staging/<random>/model/             a model on its way in or out
///   lock                                held for the moment in which something is published
///   install.lock                        a byte of it is locked while a model is installed
///
/// A file system without hard links gets copies. Plain data.
struct Layout {
  std::filesystem::path root;

  std::filesystem::path objects() const { return root / "objects" / "sha256"; }
  std::filesystem::path models() const { return root / "models"; }
  std::filesystem::path downloads() const { return root / "downloads"; }
  std::filesystem::path staging() const { return root / "staging"; }
  std::filesystem::path lock() const { return root / "lock"; }
  std::filesystem::path install_lock() const { return root / "install.lock"; }

  std::filesystem::path Object(const mlos::package::Digest& digest) const;
  /// Requires an id with namespace and version.
  std::filesystem::path Model(const mlos::ModelId& id) const;
  /// `content` names the file by its content: "sha256-<hex>", "git-<hex>".
  std::filesystem::path Part(std::string_view content) const;
};

/// True for a folder that holds a whole model.
bool IsModelDirectory(const std::filesystem::path& directory);

}  // namespace axon::store
