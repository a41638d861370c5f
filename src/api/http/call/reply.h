// SPDX-License-Identifier: MIT
#pragma once

#include <string_view>

#include "api/http/call/route.h"
#include "api/http/wire/message.h"
#include "base/status.h"

namespace mlos::api::http::call {

/// What `dialect` says of an error, with the HTTP status of the error table. `model_id` is empty
/// if it is not known.
wire::Reply ErrorReply(const Dialect& dialect, const Status& status,
                       std::string_view model_id = {});

/// What events come as: server-sent events, as Triton calls them.
inline constexpr std::string_view kEventStreamType = "text/event-stream; charset=utf-8";

/// The same as the last event of a stream.
net::ByteBuffer ErrorEvent(const Dialect& dialect, const Status& status);

}  // namespace mlos::api::http::call
