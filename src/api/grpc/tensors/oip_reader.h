// SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "api/grpc/messages/cost.h"
#include "api/grpc/tensors/elements.h"
#include "base/result.h"
#include "engine/sequence_step.h"
#include "inference/grpc_service.pb.h"
#include "tensor/tensor.h"

namespace mlos::api::grpc::tensors {

/// What parsing a ModelInferRequest may take.
extern const messages::Cost kOipRequestCost;

/// The inputs of `request` as tensors that borrow from it wherever its elements lie as the engine
/// reads them. Every fault names the input as its field.
Result<std::vector<tensor::NamedTensor>> ReadOipInputs(const inference::ModelInferRequest& request,
                                                       TensorMemory& memory);

/// The names of the outputs asked for. UNIMPLEMENTED for what Core does not do with outputs.
Result<std::vector<std::string>> ReadOipOutputs(const inference::ModelInferRequest& request);

// A parameter at fault is the field as the protocol has it over HTTP: `parameters.timeout`,
// `outputs.parameters.classification`.

/// The request parameter `timeout`, in microseconds; 0 where there is none. INVALID_FIELD for
/// anything but an integer of 0 or more.
Result<std::int64_t> ReadOipTimeoutUs(const inference::ModelInferRequest& request);

/// UNIMPLEMENTED for parameters that would change what a request means: shared memory.
Status CheckOipParameters(const inference::ModelInferRequest& request);

/// The parameters sequence_id, sequence_start and sequence_end; null without an id. INVALID_FIELD.
Result<std::unique_ptr<engine::SequenceStep>> ReadOipSequence(
    const inference::ModelInferRequest& request);

}  // namespace mlos::api::grpc::tensors
