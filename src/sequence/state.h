// SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>
#include <vector>

#include "base/result.h"
#include "engine/engine.h"
#include "engine/inference.h"
#include "resource/byte_budget.h"
#include "sequence/state_pairs.h"
#include "tensor/tensor.h"

namespace mlos::sequence {

/// What a sequence carries from one request to the next: a tensor for each of the model's state
/// inputs, counted against the budget of bytes in flight. Thread-compatible.
class State {
 public:
  /// Holds nothing yet. `pairs`, `schema` and `budget` must outlive it.
  State(const StatePairs& pairs, const engine::ModelSchema& schema, resource::ByteBudget& budget)
      : pairs_(&pairs), schema_(&schema), budget_(&budget), tensors_(pairs.size()) {}

  /// Becomes zeros, for the state inputs that `inputs` lacks and the model requires. Sizes that the
  /// model does not fix are those of the same symbol in `inputs`; one without a symbol is taken for
  /// the batch, the first dimension of the others. MISSING_INPUT, with the input as field, where
  /// that tells nothing; OVERLOADED, OUT_OF_MEMORY.
  Status Zero(const std::vector<tensor::NamedTensor>& inputs);

  /// `asked` as the engine shall see it, over the memory of both: with this state for the state
  /// inputs that it lacks, and with all state outputs behind those that it wants.
  Result<engine::InferenceRequest> Complete(const engine::InferenceRequest& asked) const;

  /// Copies the state outputs of the answer to a completed request. SHAPE_MISMATCH, with the output
  /// as field, where one is nothing for its input; OVERLOADED, OUT_OF_MEMORY. Nothing has changed
  /// then.
  Status Keep(const engine::InferenceResponse& response);

 private:
  // Pointers, so that a state can be moved over another one.
  const StatePairs* pairs_;
  const engine::ModelSchema* schema_;
  resource::ByteBudget* budget_;
  // Declared before what it counts.
  resource::Reservation held_;
  // In the order of the pairs; of undefined dtype where there is none.
  std::vector<tensor::Tensor> tensors_;
};

/// How many of the outputs of a completed request `asked` wants: the first ones.
std::size_t CountWanted(const engine::InferenceRequest& asked, const StatePairs& pairs,
                        const engine::ModelSchema& schema);

}  // namespace mlos::sequence
