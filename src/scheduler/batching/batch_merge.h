// SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "base/result.h"
#include "engine/engine.h"
#include "engine/inference.h"
#include "scheduler/batching/merge_trials.h"

namespace mlos::scheduler::batching {

/// Whether `schema` declares a batch axis: every input and output begins with one dynamic dimension
/// of the same symbol, and that symbol is one that exporters give to batches ("batch",
/// "batch_size", "N", …). A first dimension that is a sequence has the same form, and merging along
/// it would mix requests up.
bool HasBatchAxis(const engine::ModelSchema& schema);

/// Items along the batch axis, where `request` can share a run: all inputs have the same number,
/// at least one, and plain elements. 0 otherwise.
std::int64_t BatchItems(const engine::InferenceRequest& request);

/// Whether the two can share a run: same inputs and outputs, and the same shapes behind the axis.
/// Both must have BatchItems.
bool CanMerge(const engine::InferenceRequest& a, const engine::InferenceRequest& b);

/// How requests that can share a run compare; requires CanMerge of each with the first.
Compatibility Compare(std::span<const engine::InferenceRequest* const> requests);

/// Bytes of all inputs together.
std::uint64_t InputBytes(const engine::InferenceRequest& request);

/// One request with the items of all, in order; requires CanMerge of each with the first. Inputs
/// are copied. OUT_OF_MEMORY.
Result<engine::InferenceRequest> Merge(std::span<const engine::InferenceRequest* const> requests);

/// The responses for `items[i]` items each, in order: over the memory of `merged`, which each of
/// them keeps alive, or over copies where they are large. PLUGIN_FAILED where an output has another
/// number of items, OUT_OF_MEMORY.
Result<std::vector<engine::InferenceResponse>> Split(engine::InferenceResponse merged,
                                                     std::span<const std::int64_t> items);

/// Whether two responses are equal but for rounding: floating-point elements within 1e-5 of each
/// other, relative to the larger above 1 (1e-2 for 16-bit floats), others equal.
bool NearlyEqual(const engine::InferenceResponse& a, const engine::InferenceResponse& b);

}  // namespace mlos::scheduler::batching
