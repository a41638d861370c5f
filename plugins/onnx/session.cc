// SPDX-License-Identifier: MIT
#include "onnx/session.h"

#include "onnx/error.h"
#include "onnx/model_file.h"

namespace mlos::onnx {
namespace {

Ort::Session OpenFile(Ort::Env& env, const Ort::SessionOptions& options,
                      const std::filesystem::path& path) {
  try {
    return {env, path.c_str(), options};
  } catch (const Ort::Exception& exception) {
    throw LoadError(exception);
  }
}

// ONNX Runtime says more clearly what is wrong with a file that it does not take.
ModelFile Read(Ort::Env& env, const Ort::SessionOptions& options,
               const std::filesystem::path& path) {
  try {
    return ReadModelFile(path);
  } catch (const Error&) {
    OpenFile(env, options, path);
    throw;
  }
}

}  // namespace

Session::Session(Ort::Env& env, const Ort::SessionOptions& options,
                 const std::filesystem::path& path) {
  const ModelFile file = Read(env, options, path);
  weight_bytes_ = file.size_bytes;
  weights_ = Weights::Map(path, file.model);
  session_ = Open(env, options, path);
  signature_ = std::make_shared<Signature>(session_, file.unranked);
}

// Whatever ONNX Runtime has against the graph without its weights, it may take the file.
Ort::Session Session::Open(Ort::Env& env, const Ort::SessionOptions& options,
                           const std::filesystem::path& path) {
  if (weights_ != nullptr) {
    try {
      return weights_->Open(env, options);
    } catch (const Ort::Exception&) {
      weights_.reset();
    }
  }
  return OpenFile(env, options, path);
}

}  // namespace mlos::onnx
