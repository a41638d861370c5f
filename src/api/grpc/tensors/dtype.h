// SPDX-License-Identifier: MIT
#pragma once

#include <optional>
#include <string_view>

#include "tensor/dtype.h"

namespace mlos::api::grpc::tensors {

/// The Open Inference Protocol's name of a dtype ("FP32", "BYTES"); empty for kUndefined.
std::string_view OipName(tensor::DType dtype);
/// The dtype of that name.
std::optional<tensor::DType> ParseOipName(std::string_view name);

}  // namespace mlos::api::grpc::tensors
