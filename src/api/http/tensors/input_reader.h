// SPDX-License-Identifier: MIT
#pragma once

#include <vector>

#include "api/http/tensors/request_memory.h"
#include "base/result.h"
#include "engine/engine.h"
#include "net/byte_buffer.h"
#include "tensor/tensor.h"

namespace mlos::api::http::tensors {

/// Reads the body of an inference request into tensors, for a model of `schema`. Its forms:
///
///     {"input_ids": [[101, 102]], "mask": [1, 1]}          names to nested or flat arrays, or
///     values
///     {"x": {"shape": [1, 2], "data": [0.5, 1]}}            flat (or nested) data and its shape
///     {"inputs": {…}}                                       either of them, wrapped once
///     [0.5, 1]                                              a model with one input
///
/// Dtypes are the schema's; `{"dtype": …, "shape": …, "data": …}` may repeat them. For a model that
/// declares nothing, dtype comes first in that form, and is guessed from the first element
/// otherwise: string, bool or float32. Shapes are what the data has: see runtime::FitInputs.
///
/// `body` has net::kBodyPaddingBytes behind it. Nothing in it is skipped unread. MALFORMED_JSON,
/// NESTING_TOO_DEEP, and with the input as field UNKNOWN_INPUT, INVALID_FIELD (given twice, or a
/// member missing) and what ReadTensor says.
Result<std::vector<tensor::NamedTensor>> ReadInputs(const net::ByteBuffer& body,
                                                    const engine::ModelSchema& schema,
                                                    RequestMemory& memory);

}  // namespace mlos::api::http::tensors
