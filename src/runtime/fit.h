// SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "base/result.h"
#include "catalog/served_model.h"
#include "engine/engine.h"
#include "engine/inference.h"
#include "sequence/state_pairs.h"
#include "tensor/tensor.h"

namespace mlos::runtime {

/// The shape that data of `shape` is given for `spec`, by the first rule that applies:
///
///  1. Data of the declared rank must match it, and stays as it is; so does all data where no rank
///     is declared.
///  2. Data that lacks only the first dimension, and matches the others one to one, is a batch of
///     one: `[3]` for `[batch,sequence]` is `[1,3]`, `[3,224,224]` for `[batch,3,224,224]` is
///     `[1,3,224,224]`.
///  3. Otherwise data of lower rank may lack any number of leading dimensions, which are 1, and its
///     last dimension may be a run that holds all remaining ones flattened: `[150528]` and
///     `[1,150528]` for `[batch,3,224,224]` are `[1,3,224,224]`, `[301056]` is `[2,3,224,224]`,
///     `[3,50176]` is `[1,3,224,224]`. Two dimensions that the data decides share a run in several
///     ways, so there must be only one in it, apart from the first, which is 1 where the rest can
///     then be told: `[1536]` for `[batch,sequence,768]` is `[1,2,768]`. All the ways to read the
///     data must come to the same shape: `[6]` for `[a,b,c]` does not.
///  4. A list of one element is taken for a scalar, and a scalar for a list of one element.
///
/// SHAPE_MISMATCH, with the shape wanted and field `spec.name`, where the data fits in no way or in
/// several.
Result<tensor::Shape> FitShape(const tensor::TensorSpec& spec, std::span<const std::int64_t> shape);

/// Fits every input to the schema, in place, without copying elements, and makes a missing
/// `attention_mask` (ones), `token_type_ids` (zeros) or `position_ids` (0,1,2,… along the last
/// dimension) in the shape of `input_ids`, where the model requires it. UNKNOWN_INPUT,
/// MISSING_INPUT, DTYPE_MISMATCH, SHAPE_MISMATCH, or INVALID_FIELD for an input given twice, with
/// the input as field. Inputs that are `state` may be missing.
Status FitInputs(const engine::ModelSchema& schema, std::vector<tensor::NamedTensor>& inputs,
                 const sequence::StatePairs& state = {});

/// For doors whose shapes are exact: the same checks, nothing fitted or made.
Status CheckInputs(const engine::ModelSchema& schema,
                   const std::vector<tensor::NamedTensor>& inputs,
                   const sequence::StatePairs& state = {});

/// INVALID_FIELD for an output that the model lacks or that is asked for twice, with the output as
/// field.
Status CheckOutputs(const engine::ModelSchema& schema, const std::vector<std::string>& outputs);

/// FitInputs and CheckOutputs for a request to `model`; one of a sequence may lack the model's
/// state. INVALID_FIELD, with field sequence_id, for one of a sequence where the model carries
/// none.
Status FitRequest(const catalog::ServedModel& model, engine::InferenceRequest& request);
/// CheckInputs and CheckOutputs in the same way.
Status CheckRequest(const catalog::ServedModel& model, const engine::InferenceRequest& request);

}  // namespace mlos::runtime
