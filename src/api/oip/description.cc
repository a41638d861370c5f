// SPDX-License-Identifier: MIT
#include "api/oip/description.h"

namespace mlos::api::oip {

std::string Platform(const catalog::ModelInfo& model) {
  if (model.execution_format == "onnx") return "onnxruntime_onnx";
  return "mlos_" + model.execution_format;
}

std::vector<std::int64_t> SizesOf(const tensor::TensorSpec& spec) {
  std::vector<std::int64_t> sizes;
  if (!spec.has_shape) sizes.push_back(tensor::kDynamicSize);
  for (const tensor::Dim& dim : spec.dims) sizes.push_back(dim.size);
  return sizes;
}

}  // namespace mlos::api::oip
