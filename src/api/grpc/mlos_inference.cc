// SPDX-License-Identifier: MIT
#include "api/grpc/mlos_inference.h"

#include "api/grpc/methods.h"
#include "api/grpc/tensors/mlos_reader.h"
#include "api/grpc/tensors/mlos_writer.h"

namespace mlos::api::grpc {

Status MlosInference::Parse(const call::Message& message) {
  return Inference::Parse(message, tensors::kInferRequestCost);
}

Result<engine::InferenceRequest> MlosInference::Read() {
  engine::InferenceRequest request;
  request.requested_outputs.assign(message().outputs().begin(), message().outputs().end());
  request.inputs = MLOS_TRY(tensors::ReadInputs(message(), schema(), memory()));
  request.sequence = MLOS_TRY(engine::MakeSequenceStep(
      message().sequence_id(), message().sequence_start(), message().sequence_end()));
  return request;
}

Result<call::ReplyMessage> MlosInference::Encode(engine::InferenceResponse& response) {
  return MessageOf(tensors::MlosResponse(Head(), response), response);
}

v1::InferResponse MlosInference::Head() const {
  v1::InferResponse head;
  head.set_model_id(ticket().model_id());
  head.set_model_version(ticket().model_version());
  return head;
}

std::vector<call::Method> InferenceMethods() {
  return {{.path = "/mlos.v1.InferenceService/Infer",
           .operation = door::Operation::kInfer,
           .carries_tensors = true,
           .open = &InferMethod<CallAnswer<MlosInference, false>>::Open},
          {.path = "/mlos.v1.InferenceService/InferStream",
           .operation = door::Operation::kInfer,
           .carries_tensors = true,
           .open = &InferMethod<CallAnswer<MlosInference, true>>::Open}};
}

}  // namespace mlos::api::grpc
