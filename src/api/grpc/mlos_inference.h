// SPDX-License-Identifier: MIT
#pragma once

#include <memory>

#include "api/grpc/call/call.h"
#include "api/grpc/tensors/elements.h"
#include "mlos/v1/inference.pb.h"
#include "runtime/runtime.h"

namespace mlos::api::grpc {

/// One InferRequest on its way: its message, which tensors borrow from, and what is counted for
/// both.
struct MlosInference {
  explicit MlosInference(resource::ByteBudget& budget) : memory(budget) {}

  // Declared first, so that it dies last.
  resource::Reservation held;
  tensors::TensorMemory memory;
  /// What came; of InferBidi, with an InferRequest inside.
  v1::InferRequest request;
  std::shared_ptr<catalog::ServedModel> model;
};

/// What the runtime is asked, with the inputs fitted to the model, which is acquired. A refusal is
/// counted for the model.
Result<engine::InferenceRequest> PrepareMlos(call::Call& call,
                                             const std::shared_ptr<MlosInference>& work,
                                             Deadline deadline);

/// The response but for its outputs and times.
v1::InferResponse MlosHead(const MlosInference& work);

}  // namespace mlos::api::grpc
