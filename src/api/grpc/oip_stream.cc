// SPDX-License-Identifier: MIT
#include <utility>

#include "api/grpc/messages/codec.h"
#include "api/grpc/methods.h"
#include "api/grpc/oip_inference.h"
#include "api/grpc/stream_responses.h"
#include "api/grpc/tensors/oip_reader.h"
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
    const auto place =
        messages::IsLarge(message) ? call::Place::kWorker : call::Place::kEventThread;
    auto moved = std::make_shared<call::Message>(std::move(message));
    call_.service().Post(place, [this, call = call_.shared_from_this(), moved] {
      const auto work = std::make_shared<OipInference>(call->service().budget());
      const Status started = Start(call, work, *moved);
      if (!started.ok()) End(call, work, started);
    });
  }
  // Nothing runs, or the call would be paused.
  void OnHalfClose() override { call_.Finish(OkStatus()); }
  void OnDrained() override {
    if (!running_) call_.Resume();
  }

 private:
  Status Start(const std::shared_ptr<call::Call>& call, const std::shared_ptr<OipInference>& work,
               const call::Message& message) {
    MLOS_TRY(messages::Parse(call->service(), message, tensors::kOipRequestCost, work->request,
                             work->held));
    auto request = MLOS_TRY(PrepareOip(*call, work, RequestDeadline(*call)));
    call->runtime().Stream(
        work->model, std::move(request),
        runtime::SinkOf(
            [call, work](engine::InferenceResponse response) {
              net::ByteBuffer encoded = call->NewMessage();
              tensors::OipResponse(OipHead(*work), response).AppendStreamedTo(encoded);
              SendInStream(*call, std::move(encoded));
            },
            [this, call, work](const Status& status) { End(call, work, status); }));
    return OkStatus();
  }

  // A request that fails does not end the stream: that is how Triton has it.
  void End(const std::shared_ptr<call::Call>& call, const std::shared_ptr<OipInference>& work,
           const Status& status) {
    if (!status.ok()) {
      inference::ModelStreamInferResponse failure;
      failure.set_error_message(std::string(status.message()));
      failure.mutable_infer_response()->set_id(work->request.id());
      failure.mutable_infer_response()->set_model_name(work->request.model_name());
      SendInStream(*call, messages::Encode(*call, failure));
    }
    if (call->RunsHere()) {
      Next();
    } else {
      call->Post([this, call] { Next(); });
    }
  }

  void Next() {
    running_ = false;
    if (call_.waiting_bytes() == 0) call_.Resume();
  }

  call::Call& call_;
  bool running_ = false;
};

}  // namespace

std::vector<call::Method> OipStreamMethods() {
  return {{.path = "/inference.GRPCInferenceService/ModelStreamInfer",
           .client_streaming = true,
           .carries_tensors = true,
           .open = [](call::Call& call) -> std::unique_ptr<call::CallHandler> {
             return std::make_unique<ModelStreamInfer>(call);
           }}};
}

}  // namespace mlos::api::grpc
