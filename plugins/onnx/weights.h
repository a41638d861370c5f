// SPDX-License-Identifier: MIT
#pragma once

#include <onnxruntime_cxx_api.h>

#include <cstddef>
#include <filesystem>
#include <memory>
#include <string>
#include <vector>

#include "package/onnx/model.h"

namespace mlos::onnx {

/// The weights of a graph, used where the file is mapped: ONNX Runtime reads a graph with
/// references to them and copies only those that it prepares for the processor. Immutable.
class Weights {
 public:
  /// Maps the files of the `model` at `path`. Throws Ort::Exception. Null where it is not worth it,
  /// or a file does not hold what it should: ONNX Runtime then loads it and complains.
  static std::unique_ptr<Weights> Map(const std::filesystem::path& path,
                                      const package::onnx::Model& model);
  Weights(const Weights&) = delete;
  Weights& operator=(const Weights&) = delete;

  /// A session, which the weights must outlive. Throws Ort::Exception.
  Ort::Session Open(Ort::Env& env, const Ort::SessionOptions& options) const;

 private:
  struct Unmap {
    std::size_t size_bytes = 0;
    void operator()(std::byte* bytes) const;
  };
  using Mapping = std::unique_ptr<std::byte, Unmap>;

  Weights() = default;
  static Mapping MapFile(const std::filesystem::path& path);
  bool Add(const package::onnx::Weight& weight, const Mapping& mapping);

  std::filesystem::path folder_;
  /// With references to the weights.
  std::string graph_;
  std::vector<Mapping> files_;
  std::vector<std::string> names_;
  std::vector<Ort::Value> values_;
};

}  // namespace mlos::onnx
