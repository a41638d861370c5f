// SPDX-License-Identifier: MIT
#pragma once

#include <functional>
#include <memory>

#include "api/grpc/call/call.h"
#include "runtime/runtime.h"

namespace mlos::api::grpc {

/// Runs `request` and gives each response of the model to `on_response`, in order; `on_end` is
/// called exactly once, after the last of them, with OK or why there are no more. On this thread
/// before it returns, or on another.
void StreamResponses(runtime::Runtime& runtime, std::shared_ptr<runtime::ServedModel> model,
                     engine::InferenceRequest request,
                     std::function<void(engine::InferenceResponse)> on_response,
                     std::function<void(Status)> on_end);

/// Sends a message of a stream. False, and the call is over, where the message could not be made or
/// the caller reads too slowly: what waits for it is bounded.
bool SendInStream(call::Call& call, net::ByteBuffer message);

/// By when a request that has come over a stream is to be answered.
Deadline RequestDeadline(call::Call& call);

}  // namespace mlos::api::grpc
