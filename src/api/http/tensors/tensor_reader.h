// SPDX-License-Identifier: MIT
#pragma once

#include <simdjson.h>

#include "api/http/tensors/request_memory.h"
#include "base/result.h"
#include "tensor/tensor.h"

namespace mlos::api::http::tensors {

/// How the elements of an input are to be read.
struct TensorReadOptions {
  tensor::DType dtype = tensor::DType::kUndefined;
  /// As many elements as the model wants, where it says so.
  std::size_t count_hint = 0;
  /// Objects and arrays around the value.
  std::size_t outer_depth = 1;
};

/// Reads nested or flat arrays, or a lone value, straight into a tensor of their shape. Floats may
/// be NaN, Infinity and -Infinity, as strings or bare; bools may be 0 and 1; integers have neither
/// fraction nor exponent. MALFORMED_JSON, NESTING_TOO_DEEP, SHAPE_MISMATCH (ragged arrays),
/// DTYPE_MISMATCH, VALUE_OUT_OF_RANGE, OVERLOADED, PAYLOAD_TOO_LARGE, OUT_OF_MEMORY.
Result<tensor::Tensor> ReadTensor(simdjson::ondemand::value from, const TensorReadOptions& options,
                                  RequestMemory& memory);
Result<tensor::Tensor> ReadTensor(simdjson::ondemand::array from, const TensorReadOptions& options,
                                  RequestMemory& memory);

}  // namespace mlos::api::http::tensors
