// SPDX-License-Identifier: MIT
#pragma once

#include <vector>

#include "api/grpc/messages/cost.h"
#include "api/grpc/tensors/elements.h"
#include "base/result.h"
#include "engine/engine.h"
#include "mlos/v1/inference.pb.h"
#include "tensor/tensor.h"

namespace mlos::api::grpc::tensors {

/// What parsing an InferRequest, and an InferBidiRequest, may take.
extern const messages::Cost kInferRequestCost;
extern const messages::Cost kInferBidiRequestCost;

/// The inputs of `request` as tensors that borrow from it; one without a dtype has the one that
/// `schema` declares. Every fault names the input as its field.
Result<std::vector<tensor::NamedTensor>> ReadInputs(const v1::InferRequest& request,
                                                    const engine::ModelSchema& schema,
                                                    TensorMemory& memory);

}  // namespace mlos::api::grpc::tensors
