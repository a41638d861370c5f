// SPDX-License-Identifier: MIT
#include "onnx/model_file.h"

#include <system_error>
#include <utility>

#include "onnx/error.h"

namespace mlos::onnx {
namespace {

Error ErrorOf(const Status& status) {
  switch (status.reason()) {
    case Reason::kFileNotFound:
      return {SMI_ERROR_NOT_FOUND, "the model file cannot be read"};
    case Reason::kInvalidModel:
      return {SMI_ERROR_INVALID_MODEL, std::string(status.message())};
    default:
      return {SMI_ERROR_RUNTIME, std::string(status.message())};
  }
}

}  // namespace

ModelFile ReadModelFile(const std::filesystem::path& path) {
  Result<package::onnx::Model> model = package::onnx::ReadModel(path);
  if (!model.ok()) throw ErrorOf(model.status());
  ModelFile file{.size_bytes = std::filesystem::file_size(path), .unranked = {}, .model = {}};
  for (const std::string& name : model->ExternalFiles()) {
    std::error_code error;
    const std::uintmax_t size = std::filesystem::file_size(path.parent_path() / name, error);
    if (!error) file.size_bytes += size;
  }
  for (const auto* values : {&model->inputs, &model->outputs}) {
    for (const package::onnx::Value& value : *values) {
      if (!value.spec.has_shape) file.unranked.insert(value.spec.name);
    }
  }
  file.model = *std::move(model);
  return file;
}

}  // namespace mlos::onnx
