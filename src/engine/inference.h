// SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "base/clock.h"
#include "engine/cancellation.h"
#include "engine/credit.h"
#include "engine/sequence_step.h"
#include "tensor/tensor.h"

namespace mlos::engine {

/// One request to run a model, the same for every door: named tensors of exactly the shapes the
/// engine shall see. Move-only; owned by whoever runs it until the response is made.
struct InferenceRequest {
  std::vector<tensor::NamedTensor> inputs;
  /// Names of the outputs wanted, each once; empty for all of them.
  std::vector<std::string> requested_outputs;
  /// Null for a request that stands alone. Of a sequence, `inputs` may lack the model's state.
  std::unique_ptr<SequenceStep> sequence;
  Deadline deadline = kNoDeadline;
  /// Of the caller, who may go away; null for one who waits to the end.
  std::shared_ptr<const Cancellation> cancellation;
  /// What the caller may leave unread of the answers; null if it takes them as they come.
  std::shared_ptr<Credit> credit;
  /// Somebody may still write to memory that inputs lie in: what is read twice can differ.
  bool may_change = false;
  /// Whatever borrowed input tensors point into, and what counts it; released with the request.
  std::shared_ptr<const void> keepalive;

  bool cancelled() const { return cancellation != nullptr && cancellation->cancelled(); }
};

/// The answer. Output tensors live in the engine's memory until the response dies; `keepalive`
/// holds what they need in it, and `owner` the model.
struct InferenceResponse {
  InferenceResponse() = default;
  InferenceResponse(InferenceResponse&&) noexcept = default;
  // Not memberwise: old outputs must go before what they need.
  InferenceResponse& operator=(InferenceResponse&& other) noexcept {
    outputs = std::move(other.outputs);
    keepalive = std::move(other.keepalive);
    owner = std::move(other.owner);
    queue_time_us = other.queue_time_us;
    inference_time_us = other.inference_time_us;
    return *this;
  }
  ~InferenceResponse() = default;

  // Declared first, so that they die last, `owner` after all.
  std::shared_ptr<const void> owner;
  std::shared_ptr<const void> keepalive;
  /// In the order of the request's `requested_outputs`, or of the schema.
  std::vector<tensor::NamedTensor> outputs;
  std::int64_t queue_time_us = 0;
  std::int64_t inference_time_us = 0;
};

}  // namespace mlos::engine
