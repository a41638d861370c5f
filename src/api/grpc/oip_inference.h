// SPDX-License-Identifier: MIT
#pragma once

#include <memory>

#include "api/grpc/call/call.h"
#include "api/grpc/tensors/elements.h"
#include "inference/grpc_service.pb.h"
#include "runtime/runtime.h"

namespace mlos::api::grpc {

/// One ModelInferRequest on its way: its message, which tensors borrow from, and what is counted
/// for both.
struct OipInference {
  explicit OipInference(resource::ByteBudget& budget) : memory(budget) {}

  // Declared first, so that it dies last.
  resource::Reservation held;
  tensors::TensorMemory memory;
  inference::ModelInferRequest request;
  std::shared_ptr<catalog::ServedModel> model;
};

/// What the runtime is asked, of the model that `work` names, which is acquired. A refusal is
/// counted for the model.
Result<engine::InferenceRequest> PrepareOip(call::Call& call,
                                            const std::shared_ptr<OipInference>& work,
                                            Deadline deadline);

/// The response but for its outputs.
inference::ModelInferResponse OipHead(const OipInference& work);

}  // namespace mlos::api::grpc
