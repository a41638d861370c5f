// SPDX-License-Identifier: MIT
#pragma once

#include <string_view>

#include "api/http/tensors/request_memory.h"
#include "base/result.h"
#include "tensor/tensor.h"

// The binary tensor data extension
// (https://github.com/kserve/open-inference-protocol/blob/main/extension_binary_tensor_data.md):
// elements in row-major order and little-endian, BOOL one byte each, BYTES each with its length in
// four bytes in front. tensor::RawBytes writes them.
namespace mlos::api::http::oip::messages {

/// A tensor of `dtype` and `shape` over `bytes`, which its holder keeps alive: it points into them
/// where they are aligned for the dtype, and has its own copy, counted in `memory`, otherwise.
/// Strings always point into them. SHAPE_MISMATCH where the bytes do not fill the shape,
/// VALUE_OUT_OF_RANGE for a BOOL that is neither 0 nor 1.
Result<tensor::Tensor> ReadBinaryTensor(tensor::DType dtype, tensor::Shape shape,
                                        std::string_view bytes, tensors::RequestMemory& memory);

}  // namespace mlos::api::http::oip::messages
