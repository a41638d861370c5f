// SPDX-License-Identifier: MIT
#include "api/oip/description.h"

#include <algorithm>
#include <chrono>

namespace mlos::api::oip {
namespace {

// Longer is no limit; the daemon's own is below.
constexpr std::int64_t kTimeoutUsMax = std::int64_t{24} * 3600 * 1'000'000;

}  // namespace

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

Deadline Bounded(Deadline deadline, std::int64_t timeout_us) {
  if (timeout_us == 0) return deadline;
  const std::chrono::microseconds timeout(std::min(timeout_us, kTimeoutUsMax));
  return std::min(deadline, SteadyClock::now() + timeout);
}

}  // namespace mlos::api::oip
