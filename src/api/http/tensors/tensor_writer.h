// SPDX-License-Identifier: MIT
#pragma once

#include "net/byte_buffer.h"
#include "tensor/tensor.h"

namespace mlos::api::http::tensors {

/// Tensors without elements can still have any number of rows, which take room in JSON: above this
/// many they are written as `[]`.
inline constexpr std::int64_t kEmptyRowsMax = 65'536;

/// Appends the elements as nested arrays of the tensor's shape; a scalar as a lone value. Numbers
/// have as few digits as bring back the same value; NaN and infinities are the strings "NaN",
/// "Infinity" and "-Infinity"; bool is true or false. See json::AppendString for strings. A lack of
/// memory is in the status of `out`.
void AppendTensor(net::ByteBuffer& out, const tensor::Tensor& tensor);

/// The same as one flat array in row-major order, whatever the shape.
void AppendFlatTensor(net::ByteBuffer& out, const tensor::Tensor& tensor);

/// The first element as a lone value, whatever the shape.
void AppendElement(net::ByteBuffer& out, const tensor::Tensor& tensor);

}  // namespace mlos::api::http::tensors
