// SPDX-License-Identifier: MIT
#include "axon/store/layout.h"

#include <string>

#include "package/manifest.h"

namespace axon::store {

namespace fs = std::filesystem;

fs::path Layout::Object(const mlos::package::Digest& digest) const {
  const std::string hex = digest.Hex();
  return objects() / hex.substr(0, 2) / hex;
}

fs::path Layout::Model(const mlos::ModelId& id) const {
  return models() / id.name_space() / id.name() / id.version();
}

fs::path Layout::Part(std::string_view content) const {
  return downloads() / (std::string(content) + ".part");
}

bool IsModelDirectory(const fs::path& directory) {
  std::error_code error;
  return fs::is_regular_file(directory / mlos::package::kManifestFileName, error);
}

}  // namespace axon::store
