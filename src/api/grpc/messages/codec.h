// SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>
#include <memory>

#include "api/grpc/call/call.h"
#include "api/grpc/messages/cost.h"
#include "base/result.h"

namespace google::protobuf {
class MessageLite;
}

namespace mlos::api::grpc::messages {

/// Decompresses and parses `message` into `parsed`, whose memory is counted with `held` as long as
/// that lives. MALFORMED_REQUEST, PAYLOAD_TOO_LARGE, OVERLOADED.
Status Parse(call::Call& call, const call::Message& message, const Cost& cost,
             google::protobuf::MessageLite& parsed, resource::Reservation& held);

/// `reply` as a message of `call`; its status tells where there is no room for it. `extra_bytes`
/// will be appended.
net::ByteBuffer Encode(call::Call& call, const google::protobuf::MessageLite& reply,
                       std::size_t extra_bytes = 0);

/// Sends `reply` as the only message and ends the call.
void Reply(call::Call& call, const google::protobuf::MessageLite& reply);

}  // namespace mlos::api::grpc::messages
