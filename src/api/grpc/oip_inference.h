// SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <utility>

#include "api/grpc/inference.h"
#include "inference/grpc_service.pb.h"

namespace mlos::api::grpc {

/// One ModelInferRequest.
class OipInference : public Inference<inference::ModelInferRequest> {
 public:
  OipInference(std::shared_ptr<call::Call> call, door::Inference::Terms terms)
      : Inference(std::move(call), runtime::Fit::kExact, std::move(terms)) {}

  Status Parse(const call::Message& message);
  void Start();

 protected:
  Deadline AskedDeadline() override;
  Result<engine::InferenceRequest> Read() override;
  /// As a message of the call; see MessageOf.
  Result<call::ReplyMessage> Encode(engine::InferenceResponse& response);
  /// The response but for its outputs.
  inference::ModelInferResponse Head() const;

 private:
  /// That of the message's timeout; it counts from the first call.
  Deadline DeadlineAfter(std::int64_t timeout_us);

  std::optional<Deadline> deadline_;
};

}  // namespace mlos::api::grpc
