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

// Writing this much takes about a millisecond.
constexpr std::size_t kSmallTensorBytes = 128 << 10;

/// POST /v2/models/{id}/infer.
class OipInference : public Inference {
 public:
  explicit OipInference(std::shared_ptr<Call> call)
      : Inference(std::move(call), runtime::Fit::kExact) {}

 protected:
  Deadline AskedDeadline() override { return Parse().ok() ? deadline_ : kNoDeadline; }

  Result<engine::InferenceRequest> Read() override {
    MLOS_TRY(Parse());
    engine::InferenceRequest request;
    request.inputs = std::move(asked_.inputs);
    request.sequence = std::move(asked_.sequence);
    for (const auto& output : asked_.outputs) request.requested_outputs.push_back(output.name);
    request.deadline = deadline_;
    return request;
  }

  // The JSON in front of binary tensors is written twice, first to measure it.
  bool IsLongToWrite(const engine::InferenceResponse& response) const override {
    std::size_t json_bytes = 0;
    bool binary = false;
    for (const auto& output : response.outputs) {
      const bool is_binary = asked_.IsBinary(output.name);
      if (!is_binary) json_bytes += output.tensor.size_bytes();
      binary = binary || is_binary;
    }
    return binary && json_bytes > kSmallTensorBytes && call().on_event_thread();
  }

  Result<wire::Reply> Encode(engine::InferenceResponse& response) override {
    return Pack(MLOS_TRY(messages::WriteInferReply(asked_, ticket().model_id(),
                                                   ticket().model_version(), response, budget())));
  }

 private:
  /// Reads the body, unless it has been.
  Status Parse() {
    if (parsed_) return OkStatus();
    net::ByteBuffer& body = call().body();
    const std::size_t json_bytes = MLOS_TRY(call().JsonBytes());
    asked_ = MLOS_TRY(messages::ReadInferRequest(body, json_bytes, call().memory()));
    // Binary tensors point into it.
    if (json_bytes == body.size()) body = net::ByteBuffer();
    deadline_ = door::Bounds::After(SteadyClock::now(), door::UnlessZero(asked_.timeout_us));
    parsed_ = true;
    return OkStatus();
  }

  messages::InferRequest asked_;
  Deadline deadline_ = kNoDeadline;
  bool parsed_ = false;
};

}  // namespace

void Infer(const std::shared_ptr<Call>& call) { std::make_shared<OipInference>(call)->Start(); }

}  // namespace mlos::api::http::oip
