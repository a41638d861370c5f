// SPDX-License-Identifier: MIT
#pragma once

#include "api/grpc/tensors/message_body.h"
#include "engine/inference.h"
#include "mlos/v1/inference.pb.h"

namespace mlos::api::grpc::tensors {

/// An InferResponse with the outputs and times of `response`, which it borrows; `head` is the rest.
MessageBytes MlosResponse(v1::InferResponse head, const engine::InferenceResponse& response);
/// The same as the response of an InferBidiResponse, after `envelope`.
MessageBytes MlosResponse(v1::InferResponse head, const engine::InferenceResponse& response,
                          const v1::InferBidiResponse& envelope);

}  // namespace mlos::api::grpc::tensors
