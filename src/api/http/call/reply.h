// SPDX-License-Identifier: MIT
#pragma once

#include <string_view>

#include "api/http/wire/message.h"
#include "base/result.h"

namespace mlos::api::http::call {

/// `{"status":"error","code":…,"reason":…,"field":…,"message":…}`, and "model_id" where it is
/// known, with the HTTP status of the error table.
wire::Reply ErrorReply(const Status& status, std::string_view model_id = {});

/// `{"error":…,"code":…,"reason":…,"field":…}`: what the Open Inference Protocol says of an error,
/// and what Core tells besides.
wire::Reply OipErrorReply(const Status& status);

/// What events come as: server-sent events, as Triton calls them.
inline constexpr std::string_view kEventStreamType = "text/event-stream; charset=utf-8";

/// The same as the last event of a stream.
net::ByteBuffer OipErrorEvent(const Status& status);

}  // namespace mlos::api::http::call
