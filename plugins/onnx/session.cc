// SPDX-License-Identifier: MIT
#include "onnx/session.h"

#include "onnx/error.h"
#include "onnx/model_file.h"

namespace mlos::onnx {

Session::Session(Ort::Env& env, const Ort::SessionOptions& options,
                 const std::filesystem::path& path) {
  try {
    session_ = Ort::Session(env, path.c_str(), options);
  } catch (const Ort::Exception& exception) {
    throw LoadError(exception);
  }
  const ModelFile file = ReadModelFile(path);
  weight_bytes_ = file.size_bytes;
  signature_ = std::make_shared<Signature>(session_, file.unranked);
}

}  // namespace mlos::onnx
