// SPDX-License-Identifier: MIT
#include "api/grpc/mlos_inference.h"

#include <utility>

#include "api/grpc/messages/codec.h"
#include "api/grpc/methods.h"
#include "api/grpc/stream_responses.h"
#include "api/grpc/tensors/mlos_reader.h"
#include "api/grpc/tensors/mlos_writer.h"

namespace mlos::api::grpc {
namespace {

Result<engine::InferenceRequest> Translate(MlosInference& work) {
  const engine::ModelSchema& schema = work.model->schema();
  engine::InferenceRequest request;
  request.requested_outputs = MLOS_TRY(tensors::ReadOutputs(work.request, schema));
  request.inputs = MLOS_TRY(tensors::ReadInputs(work.request, schema, work.memory));
  request.sequence = MLOS_TRY(engine::MakeSequenceStep(
      work.request.sequence_id(), work.request.sequence_start(), work.request.sequence_end()));
  MLOS_TRY(runtime::FitRequest(*work.model, request));
  return request;
}

using Work = std::shared_ptr<MlosInference>;

void SendOne(const std::shared_ptr<call::Call>& call, const Work& work,
             engine::InferenceRequest request) {
  call->runtime().Infer(work->model, std::move(request),
                        [call, work](Result<engine::InferenceResponse> outcome) {
                          if (!outcome.ok()) return call->Finish(outcome.status());
                          net::ByteBuffer message = call->NewMessage();
                          tensors::MlosResponse(MlosHead(*work), *outcome).AppendTo(message);
                          if (!message.status().ok()) return call->Finish(message.status());
                          call->SendLast(std::move(message));
                        });
}

void SendStream(const std::shared_ptr<call::Call>& call, const Work& work,
                engine::InferenceRequest request) {
  call->runtime().Stream(work->model, std::move(request),
                         runtime::SinkOf(
                             [call, work](engine::InferenceResponse response) {
                               net::ByteBuffer message = call->NewMessage();
                               tensors::MlosResponse(MlosHead(*work), response).AppendTo(message);
                               SendInStream(*call, std::move(message));
                             },
                             [call](const Status& status) { call->Finish(status); }));
}

/// Infer and InferStream: one request, answered by `kSend`.
template <auto kSend>
class Infer : public call::CallHandler {
 public:
  explicit Infer(call::Call& call) : call_(call) {}

  static std::unique_ptr<call::CallHandler> Open(call::Call& call) {
    return std::make_unique<Infer>(call);
  }
  void OnMessage(call::Message message) override { message_ = std::move(message); }
  void OnHalfClose() override {
    const auto place =
        messages::IsLarge(message_) ? call::Place::kWorker : call::Place::kEventThread;
    call_.service().Post(place, [this, call = call_.shared_from_this()] {
      const Status started = Start(call);
      if (!started.ok()) call->Finish(started);
    });
  }

 private:
  Status Start(const std::shared_ptr<call::Call>& call) {
    const auto work = std::make_shared<MlosInference>(call->service().budget());
    MLOS_TRY(messages::Parse(call->service(), message_, tensors::kInferRequestCost, work->request,
                             work->held));
    message_ = call::Message();
    kSend(call, work, MLOS_TRY(PrepareMlos(*call, work, call->deadline())));
    return OkStatus();
  }

  call::Call& call_;
  call::Message message_;
};

}  // namespace

Result<engine::InferenceRequest> PrepareMlos(call::Call& call,
                                             const std::shared_ptr<MlosInference>& work,
                                             Deadline deadline) {
  runtime::Runtime& runtime = call.runtime();
  work->model = MLOS_TRY(runtime.Acquire(work->request.model_id()));
  Result<engine::InferenceRequest> request = Translate(*work);
  if (!request.ok()) {
    work->model->counts()->Record(request.status(), 0, 0);
    return request;
  }
  request->deadline = deadline;
  request->cancellation = call.cancellation();
  request->keepalive = work;
  return request;
}

v1::InferResponse MlosHead(const MlosInference& work) {
  v1::InferResponse head;
  head.set_model_id(work.model->model_id());
  head.set_model_version(work.model->version());
  return head;
}

std::vector<call::Method> InferenceMethods() {
  return {{.path = "/mlos.v1.InferenceService/Infer",
           .carries_tensors = true,
           .open = &Infer<&SendOne>::Open},
          {.path = "/mlos.v1.InferenceService/InferStream",
           .carries_tensors = true,
           .open = &Infer<&SendStream>::Open}};
}

}  // namespace mlos::api::grpc
