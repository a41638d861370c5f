// SPDX-License-Identifier: MIT
#pragma once

#include <string_view>

#include "api/http/wire/message.h"
#include "base/result.h"
#include "catalog/model_info.h"

namespace mlos::api::http::oip::messages {

/// The reply to GET /v2, for Core of `version`.
Result<wire::Reply> ServerMetadata(std::string_view version, resource::ByteBudget& budget);
/// The reply to GET /v2/models/{id}.
Result<wire::Reply> ModelMetadata(const catalog::ModelInfo& model, resource::ByteBudget& budget);
/// The reply to GET /v2/models/{id}/config: what Triton's ModelConfig has and Core knows.
Result<wire::Reply> ModelConfig(const catalog::ModelInfo& model, resource::ByteBudget& budget);

}  // namespace mlos::api::http::oip::messages
