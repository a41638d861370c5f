// SPDX-License-Identifier: MIT
#include "tensor/tensor_spec.h"

namespace mlos::tensor {

std::string ToString(const TensorSpec& spec) {
  if (!spec.has_shape) return "unknown";
  std::string text = "[";
  for (const Dim& dim : spec.dims) {
    if (text.size() > 1) text += ',';
    text += dim.dynamic() && !dim.symbol.empty() ? dim.symbol : std::to_string(dim.size);
  }
  return text += ']';
}

bool Accepts(const TensorSpec& spec, std::span<const std::int64_t> shape) {
  if (!spec.has_shape) return true;
  if (spec.dims.size() != shape.size()) return false;
  for (std::size_t i = 0; i < shape.size(); ++i) {
    if (!spec.dims[i].dynamic() && spec.dims[i].size != shape[i]) return false;
  }
  return true;
}

}  // namespace mlos::tensor
