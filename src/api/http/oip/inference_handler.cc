// SPDX-License-Identifier: MIT
#include <memory>
#include <utility>

#include "api/http/oip/handlers.h"
#include "api/http/oip/inference.h"
#include "api/http/oip/messages/infer_reply.h"
#include "api/http/oip/messages/infer_request.h"

namespace mlos::api::http::oip {
namespace {

using call::Call;

/// POST /v2/models/{id}/infer.
class OipInference : public Inference {
 public:
  explicit OipInference(std::shared_ptr<Call> call)
      : Inference(std::move(call), runtime::Fit::kExact) {}

 protected:
  Result<engine::InferenceRequest> Read() override {
    net::ByteBuffer& body = call().body();
    const std::size_t json_bytes = MLOS_TRY(call().JsonBytes());
    asked_ = MLOS_TRY(messages::ReadInferRequest(body, json_bytes, call().memory()));
    // Binary tensors point into it.
    if (json_bytes == body.size()) body = net::ByteBuffer();
    engine::InferenceRequest request;
    request.inputs = std::move(asked_.inputs);
    request.sequence = std::move(asked_.sequence);
    for (const auto& output : asked_.outputs) request.requested_outputs.push_back(output.name);
    request.deadline = door::Bounds::After(SteadyClock::now(), door::UnlessZero(asked_.timeout_us));
    return request;
  }

  Result<wire::Reply> Encode(const engine::InferenceResponse& response) override {
    return Pack(MLOS_TRY(messages::WriteInferReply(asked_, ticket().model_id(),
                                                   ticket().model_version(), response, budget())));
  }

 private:
  messages::InferRequest asked_;
};

}  // namespace

void Infer(const std::shared_ptr<Call>& call) { std::make_shared<OipInference>(call)->Start(); }

}  // namespace mlos::api::http::oip
