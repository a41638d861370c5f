// SPDX-License-Identifier: MIT
#pragma once

#include "api/grpc/call/call.h"
#include "base/clock.h"
#include "net/byte_buffer.h"

namespace mlos::api::grpc {

/// Sends a message of a stream. False, and the call is over, where the message could not be made or
/// the caller reads too slowly: what waits for it is bounded.
bool SendInStream(call::Call& call, net::ByteBuffer message);

/// By when a request that has come over a stream is to be answered.
Deadline RequestDeadline(call::Call& call);

}  // namespace mlos::api::grpc
