// SPDX-License-Identifier: MIT
#pragma once

#include <string_view>
#include <vector>

#include "api/http/wire/message.h"
#include "base/result.h"
#include "catalog/model_info.h"
#include "metrics/stats.h"

namespace mlos::api::http::oip::messages {

/// The reply to GET /v2/models/{id}/stats and /v2/models/stats: Triton's statistics extension over
/// what the runtime counted of `models`. Core does not time the conversion of inputs and outputs
/// per model, so that these have a count of 0.
Result<wire::Reply> Statistics(const std::vector<catalog::ModelInfo>& models,
                               const std::vector<metrics::ModelStats>& stats,
                               resource::ByteBudget& budget);

}  // namespace mlos::api::http::oip::messages
