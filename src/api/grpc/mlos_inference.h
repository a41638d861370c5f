// SPDX-License-Identifier: MIT
#pragma once

#include <memory>
#include <utility>

#include "api/grpc/inference.h"
#include "mlos/v1/inference.pb.h"

namespace mlos::api::grpc {

/// One InferRequest, whose inputs are fitted to the model.
class MlosInference : public Inference<v1::InferRequest> {
 public:
  MlosInference(std::shared_ptr<call::Call> call, door::Inference::Terms terms)
      : Inference(std::move(call), runtime::Fit::kFitted, std::move(terms)) {}

  Status Parse(const call::Message& message);
  void Start() { door::Inference::Start(message().model_id()); }

 protected:
  Result<engine::InferenceRequest> Read() override;
  /// As a message of the call; see MessageOf.
  Result<call::ReplyMessage> Encode(engine::InferenceResponse& response);
  /// The response but for its outputs and times.
  v1::InferResponse Head() const;
};

}  // namespace mlos::api::grpc
