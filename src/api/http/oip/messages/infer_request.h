// SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "api/http/tensors/request_memory.h"
#include "base/result.h"
#include "engine/sequence_step.h"
#include "net/byte_buffer.h"
#include "tensor/tensor.h"

namespace mlos::api::http::oip::messages {

struct RequestedOutput {
  std::string name;
  /// Its parameter `binary_data`, where it has one.
  std::optional<bool> binary;
};

/// The body of a POST …/infer.
struct InferRequest {
  std::string id;
  /// May point into the body.
  std::vector<tensor::NamedTensor> inputs;
  /// Empty for all.
  std::vector<RequestedOutput> outputs;
  /// The parameter `binary_data_output`: outputs are binary unless they say otherwise.
  bool binary_outputs = false;
  /// The parameter `timeout`, in microseconds; 0: none.
  std::int64_t timeout_us = 0;
  /// The parameters `sequence_id`, `sequence_start` and `sequence_end`; null without an id.
  std::unique_ptr<engine::SequenceStep> sequence;

  bool IsBinary(std::string_view output) const;
};

/// Reads the body of an inference request
/// (https://github.com/kserve/open-inference-protocol, specification/protocol/inference_rest.md)
/// for a model of `schema`: JSON in its first `json_bytes` bytes, binary tensors in the rest.
///
/// Dtypes, names and the number of elements must be what the request says itself; whether the model
/// takes the inputs and has the outputs is for runtime::CheckRequest. Data is flat, or nested as
/// the shape says. Members that are not known are read and ignored; one that is there twice is
/// refused.
///
/// MALFORMED_JSON, NESTING_TOO_DEEP, MISSING_FIELD, INVALID_FIELD, DTYPE_MISMATCH, SHAPE_MISMATCH,
/// VALUE_OUT_OF_RANGE, UNIMPLEMENTED (shared memory, classification), each with the input, output
/// or member as field; OVERLOADED, PAYLOAD_TOO_LARGE, OUT_OF_MEMORY.
Result<InferRequest> ReadInferRequest(const net::ByteBuffer& body, std::size_t json_bytes,
                                      tensors::RequestMemory& memory);

}  // namespace mlos::api::http::oip::messages
