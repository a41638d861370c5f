// SPDX-License-Identifier: MIT
#include <memory>
#include <string>
#include <utility>

#include "api/grpc/messages/codec.h"
#include "api/grpc/methods.h"
#include "api/grpc/oip_inference.h"
#include "api/grpc/tensors/oip_writer.h"

namespace mlos::api::grpc {
namespace {

/// ModelStreamInfer: requests are answered one after the other, in their order. The next one is
/// read when the one before is answered and the caller has taken that.
class ModelStreamInfer : public call::CallHandler {
 public:
  explicit ModelStreamInfer(call::Call& call) : call_(call) {}

  void OnMessage(call::Message message) override {
    call_.Pause();
    running_ = true;
    const auto moved = std::make_shared<call::Message>(std::move(message));
    call_.Run(*moved, [this, call = call_.shared_from_this(), moved] {
      const auto next = std::make_shared<Next>(*this, call);
      const Status parsed = next->Parse(std::exchange(*moved, {}));
      if (!parsed.ok()) return next->End(parsed);
      next->Start();
    });
  }
  // Nothing runs, or the call would be paused.
  void OnHalfClose() override { call_.Finish(OkStatus()); }
  void OnDrained() override {
    if (!running_) call_.Resume();
  }

 private:
  /// The request that is answered. Its call holds the method.
  class Next : public OipInference {
   public:
    Next(ModelStreamInfer& method, const std::shared_ptr<call::Call>& call)
        : OipInference(call, TermsOfNext(*call)), method_(method) {}

    // A request that fails does not end the stream: that is how Triton has it.
    void End(Status status) override {
      if (!status.ok()) {
        inference::ModelStreamInferResponse failure;
        failure.set_error_message(std::string(status.message()));
        failure.mutable_infer_response()->set_id(message().id());
        failure.mutable_infer_response()->set_model_name(message().model_name());
        call()->Send(messages::Encode(*call(), failure));
      }
      if (call()->RunsHere()) return method_.Answered();
      call()->Post([&method = method_, call = call()] { method.Answered(); });
    }

   protected:
    Status Write(engine::InferenceResponse& response) override {
      call()->Send(MLOS_TRY(MessageOf(tensors::OipStreamedResponse(Head(), response), response)));
      return OkStatus();
    }

   private:
    ModelStreamInfer& method_;
  };

  void Answered() {
    running_ = false;
    if (call_.waiting_bytes() == 0) call_.Resume();
  }

  call::Call& call_;
  bool running_ = false;
};

}  // namespace

std::vector<call::Method> OipStreamMethods() {
  return {{.path = "/inference.GRPCInferenceService/ModelStreamInfer",
           .operation = door::Operation::kInfer,
           .client_streaming = true,
           .carries_tensors = true,
           .open = [](call::Call& call) -> std::unique_ptr<call::CallHandler> {
             return std::make_unique<ModelStreamInfer>(call);
           }}};
}

}  // namespace mlos::api::grpc
