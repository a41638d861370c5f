// SPDX-License-Identifier: MIT
#pragma once

#include <set>
#include <string>
#include <vector>

#include "tensor/tensor_spec.h"

namespace mlos::package {

/// What serving must know of a model's graph, whatever its format. For a format that Core cannot
/// look into, nothing is known.
struct ModelFacts {
  /// Whether `inputs` and `outputs` say what the graph declares.
  bool has_schema = false;
  std::vector<tensor::TensorSpec> inputs;
  std::vector<tensor::TensorSpec> outputs;
  /// Outputs that are sequences. No door carries them; an engine may leave them out.
  std::vector<std::string> sequence_outputs;
  /// The operator that makes the items of a batch influence each other; empty if none is known.
  std::string whole_batch_operator;
  /// Inputs that may be written to while the model reads them: the answer is wrong then, and no
  /// more than that.
  std::set<std::string, std::less<>> inputs_that_may_change;
  /// A run takes as long as the shapes of its inputs say: no value among them makes it do more.
  bool time_given_by_shapes = false;
};

}  // namespace mlos::package
