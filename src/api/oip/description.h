// SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "catalog/model_info.h"

// What the Open Inference Protocol says of models, whichever door says it.
namespace mlos::api::oip {

/// "onnxruntime_onnx": `<project>_<format>`, as the protocol recommends.
std::string Platform(const catalog::ModelInfo& model);

/// The sizes that metadata shows; -1 where any is taken. The protocol has no word for an unknown
/// rank: one dimension of any size stands for it.
std::vector<std::int64_t> SizesOf(const tensor::TensorSpec& spec);

}  // namespace mlos::api::oip
