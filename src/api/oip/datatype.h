// SPDX-License-Identifier: MIT
#pragma once

#include <optional>
#include <string_view>

#include "tensor/dtype.h"

namespace mlos::api::oip {

/// The Open Inference Protocol's name of a dtype ("FP32", "BYTES" for strings); empty for
/// kUndefined.
std::string_view DatatypeName(tensor::DType dtype);

/// The dtype the protocol calls `name`.
std::optional<tensor::DType> ParseDatatype(std::string_view name);

}  // namespace mlos::api::oip
