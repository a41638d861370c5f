// SPDX-License-Identifier: MIT
#include "api/grpc/oip_inference.h"

#include <utility>

#include "api/grpc/messages/codec.h"
#include "api/grpc/methods.h"
#include "api/grpc/oip_name.h"
#include "api/grpc/tensors/oip_reader.h"
#include "api/grpc/tensors/oip_writer.h"
#include "api/oip/description.h"

namespace mlos::api::grpc {
namespace {

using catalog::ServedModel;

Result<engine::InferenceRequest> Translate(OipInference& work, const ServedModel& model,
                                           Deadline deadline) {
  MLOS_TRY(tensors::CheckOipParameters(work.request));
  engine::InferenceRequest request;
  request.requested_outputs = MLOS_TRY(tensors::ReadOipOutputs(work.request, model.schema()));
  request.inputs = MLOS_TRY(tensors::ReadOipInputs(work.request, work.memory));
  request.sequence = MLOS_TRY(tensors::ReadOipSequence(work.request));
  MLOS_TRY(runtime::CheckRequest(model, request));
  request.deadline = oip::Bounded(deadline, MLOS_TRY(tensors::ReadOipTimeoutUs(work.request)));
  return request;
}

/// ModelInfer.
class ModelInfer : public call::CallHandler {
 public:
  explicit ModelInfer(call::Call& call) : call_(call) {}

  void OnMessage(call::Message message) override { message_ = std::move(message); }
  void OnHalfClose() override {
    const auto place =
        messages::IsLarge(message_) ? call::Place::kWorker : call::Place::kEventThread;
    call_.service().Post(place, [this, call = call_.shared_from_this()] { Run(call); });
  }

 private:
  void Run(const std::shared_ptr<call::Call>& call) {
    const Status started = Start(call);
    if (!started.ok()) call->Finish(started);
  }

  Status Start(const std::shared_ptr<call::Call>& call) {
    const auto work = std::make_shared<OipInference>(call->service().budget());
    MLOS_TRY(messages::Parse(call->service(), message_, tensors::kOipRequestCost, work->request,
                             work->held));
    message_ = call::Message();
    auto request = MLOS_TRY(PrepareOip(*call, work, call->deadline()));
    call->runtime().Infer(work->model, std::move(request),
                          [call, work](Result<engine::InferenceResponse> outcome) {
                            if (!outcome.ok()) return call->Finish(outcome.status());
                            const tensors::OipResponse response(OipHead(*work), *outcome);
                            net::ByteBuffer message = call->NewMessage();
                            response.AppendTo(message);
                            if (!message.status().ok()) return call->Finish(message.status());
                            call->SendLast(std::move(message));
                          });
    return OkStatus();
  }

  call::Call& call_;
  call::Message message_;
};

}  // namespace

Result<engine::InferenceRequest> PrepareOip(call::Call& call,
                                            const std::shared_ptr<OipInference>& work,
                                            Deadline deadline) {
  runtime::Runtime& runtime = call.runtime();
  work->model = MLOS_TRY(runtime.Acquire(
      MLOS_TRY(OipModelId(runtime, work->request.model_name(), work->request.model_version()))));
  Result<engine::InferenceRequest> request = Translate(*work, *work->model, deadline);
  if (!request.ok()) {
    work->model->counts()->Record(request.status(), 0, 0);
    return request;
  }
  request->cancellation = call.cancellation();
  request->keepalive = work;
  return request;
}

inference::ModelInferResponse OipHead(const OipInference& work) {
  inference::ModelInferResponse head;
  head.set_model_name(work.request.model_name());
  head.set_model_version(work.model->version());
  head.set_id(work.request.id());
  return head;
}

std::vector<call::Method> OipInferenceMethods() {
  return {{.path = "/inference.GRPCInferenceService/ModelInfer",
           .carries_tensors = true,
           .open = [](call::Call& call) -> std::unique_ptr<call::CallHandler> {
             return std::make_unique<ModelInfer>(call);
           }}};
}

}  // namespace mlos::api::grpc
