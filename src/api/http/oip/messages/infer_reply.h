// SPDX-License-Identifier: MIT
#pragma once

#include <string_view>

#include "api/http/oip/messages/infer_request.h"
#include "api/http/wire/message.h"
#include "base/result.h"
#include "engine/inference.h"

namespace mlos::api::http::oip::messages {

/// The reply to `request`: JSON, and behind it the outputs that were asked for in binary. Takes
/// `response`, unless the reply is small. OVERLOADED or PAYLOAD_TOO_LARGE where `budget` has no
/// room for it, OUT_OF_MEMORY.
Result<wire::Reply> WriteInferReply(const InferRequest& request, std::string_view model_id,
                                    std::string_view version, engine::InferenceResponse& response,
                                    resource::ByteBudget& budget);

}  // namespace mlos::api::http::oip::messages
