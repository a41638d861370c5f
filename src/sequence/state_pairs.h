// SPDX-License-Identifier: MIT
#pragma once

#include <map>
#include <string>

#include "base/result.h"
#include "engine/engine.h"

namespace mlos::sequence {

/// The state that a model's graph carries through its inputs and outputs: names of inputs, each
/// with the output that is its next value.
using StatePairs = std::map<std::string, std::string>;

/// The pairs that the schema tells of: an input and an output of equal dtype and compatible shapes
/// whose names belong together (`state` with `stateN`, `h0` or `h` with `hn`, `c_in` with `c_out`,
/// `x` with `new_x`). None unless each has one partner only, and an input and an output are left
/// beside all that belong together: a graph whose inputs all come back changes them, and carries
/// nothing on.
StatePairs DetectStatePairs(const engine::ModelSchema& schema);

/// `declared` where there is any, otherwise what DetectStatePairs finds. INVALID_FIELD with field
/// state_pairs where the model has no such input or output, their dtypes or shapes are at odds,
/// they are strings, or an output is the next value of several inputs.
Result<StatePairs> ResolveStatePairs(const StatePairs& declared, const engine::ModelSchema& schema);

}  // namespace mlos::sequence
