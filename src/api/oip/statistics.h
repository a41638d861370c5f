// SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>
#include <string_view>
#include <vector>

#include "metrics/stats.h"

namespace mlos::api::oip {

/// How often something happened and how long it took in all.
struct Duration {
  std::uint64_t count = 0;
  std::uint64_t ns = 0;
};

/// Triton's inference statistics of one model. Core does not time the conversion of inputs and
/// outputs by model.
struct InferenceStatistics {
  Duration success;
  Duration fail;
  Duration queue;
  Duration compute_infer;
};

/// The runs of one batch size.
Duration DurationOf(const metrics::BatchStats& batch);

InferenceStatistics StatisticsOf(const metrics::ModelStats& stats);

/// What was counted of a model; nothing yet is zeros.
metrics::ModelStats CountsOf(std::string_view model_id,
                             const std::vector<metrics::ModelStats>& stats);

}  // namespace mlos::api::oip
