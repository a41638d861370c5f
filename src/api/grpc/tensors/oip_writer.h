// SPDX-License-Identifier: MIT
#pragma once

#include "api/grpc/tensors/message_body.h"
#include "engine/inference.h"
#include "inference/grpc_service.pb.h"

namespace mlos::api::grpc::tensors {

/// A ModelInferResponse with the outputs of `response`, which it borrows, as raw contents; `head`
/// is the rest.
MessageBytes OipResponse(inference::ModelInferResponse head,
                         const engine::InferenceResponse& response);
/// The same as the infer_response of a ModelStreamInferResponse.
MessageBytes OipStreamedResponse(inference::ModelInferResponse head,
                                 const engine::InferenceResponse& response);

}  // namespace mlos::api::grpc::tensors
