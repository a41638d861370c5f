// SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "api/http/tensors/request_memory.h"
#include "api/http/tensors/tensor_body.h"
#include "api/http/wire/message.h"
#include "base/result.h"
#include "engine/engine.h"

// Triton's generate extension: inputs and outputs by name, single values without arrays.
namespace mlos::api::http::oip::messages {

/// The body of a POST …/generate.
struct GenerateRequest {
  std::string id;
  /// Of the shapes they have in the body.
  std::vector<tensor::NamedTensor> inputs;
};

/// Reads `{"text_input": "…", "id": "…", "parameters": {…}}`: members that the model has an input
/// for are read as that, in its dtype; others, and `parameters`, must be scalars, which are
/// ignored. MALFORMED_JSON, NESTING_TOO_DEEP, INVALID_FIELD, DTYPE_MISMATCH, SHAPE_MISMATCH,
/// VALUE_OUT_OF_RANGE, UNIMPLEMENTED for a model that declares no inputs; OVERLOADED,
/// PAYLOAD_TOO_LARGE, OUT_OF_MEMORY.
Result<GenerateRequest> ReadGenerateRequest(const net::ByteBuffer& body,
                                            const engine::ModelSchema& schema,
                                            tensors::RequestMemory& memory);

enum class AnswerForm : std::uint8_t {
  kDocument,
  kEvent,  ///< a server-sent event: "data: ", the document, an empty line
};

/// Writes `{"model_name": …, "model_version": …, "text_output": "…"}`: outputs of one element are
/// single values, others flat arrays.
void WriteGenerateAnswer(const GenerateRequest& request, std::string_view model_id,
                         std::string_view version, const engine::InferenceResponse& response,
                         AnswerForm form, tensors::BodyWriter& body);

}  // namespace mlos::api::http::oip::messages
