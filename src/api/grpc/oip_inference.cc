// SPDX-License-Identifier: MIT
#include "api/grpc/oip_inference.h"

#include <utility>

#include "api/grpc/methods.h"
#include "api/grpc/oip_name.h"
#include "api/grpc/tensors/oip_reader.h"
#include "api/grpc/tensors/oip_writer.h"

namespace mlos::api::grpc {

Status OipInference::Parse(const call::Message& message) {
  return Inference::Parse(message, tensors::kOipRequestCost);
}

void OipInference::Start() {
  StartFound(OipModelId(lobby().runtime(), message().model_name(), message().model_version()));
}

Deadline OipInference::AskedDeadline() {
  const Result<std::int64_t> timeout_us = tensors::ReadOipTimeoutUs(message());
  return timeout_us.ok() ? DeadlineAfter(*timeout_us) : kNoDeadline;
}

Deadline OipInference::DeadlineAfter(std::int64_t timeout_us) {
  if (!deadline_) {
    deadline_ = door::Bounds::After(SteadyClock::now(), door::UnlessZero(timeout_us));
  }
  return *deadline_;
}

Result<engine::InferenceRequest> OipInference::Read() {
  MLOS_TRY(tensors::CheckOipParameters(message()));
  engine::InferenceRequest request;
  request.requested_outputs = MLOS_TRY(tensors::ReadOipOutputs(message()));
  request.inputs = MLOS_TRY(tensors::ReadOipInputs(message(), memory()));
  request.sequence = MLOS_TRY(tensors::ReadOipSequence(message()));
  request.deadline = DeadlineAfter(MLOS_TRY(tensors::ReadOipTimeoutUs(message())));
  return request;
}

Result<call::ReplyMessage> OipInference::Encode(engine::InferenceResponse& response) {
  return MessageOf(tensors::OipResponse(Head(), response), response);
}

inference::ModelInferResponse OipInference::Head() const {
  inference::ModelInferResponse head;
  head.set_model_name(message().model_name());
  head.set_model_version(ticket().model_version());
  head.set_id(message().id());
  return head;
}

std::vector<call::Method> OipInferenceMethods() {
  return {{.path = "/inference.GRPCInferenceService/ModelInfer",
           .operation = door::Operation::kInfer,
           .carries_tensors = true,
           .open = &InferMethod<CallAnswer<OipInference, false>>::Open}};
}

}  // namespace mlos::api::grpc
