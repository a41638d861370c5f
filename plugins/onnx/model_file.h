// SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>
#include <filesystem>
#include <set>
#include <string>

#include "package/onnx/model.h"

namespace mlos::onnx {

/// What ONNX Runtime does not tell of a model file.
struct ModelFile {
  /// Of the file and of the files beside it that hold its tensors.
  std::uint64_t size_bytes = 0;
  /// Graph inputs and outputs that the file gives no shape, not even a rank: ONNX Runtime shows
  /// them as scalars.
  std::set<std::string, std::less<>> unranked;
  package::onnx::Model model;
};

/// Reads `path`. Throws Error if it cannot be read, or is not what package::onnx::ReadModel takes.
ModelFile ReadModelFile(const std::filesystem::path& path);

}  // namespace mlos::onnx
