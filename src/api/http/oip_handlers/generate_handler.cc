// SPDX-License-Identifier: MIT
#include <memory>
#include <utility>

#include "api/http/call/reply.h"
#include "api/http/oip/generate.h"
#include "api/http/oip_handlers/handlers.h"
#include "api/http/oip_handlers/inference.h"

namespace mlos::api::http::oip_handlers {
namespace {

using call::Call;
using call::Service;
using Generation = Inference<oip::GenerateRequest>;

/// What the runtime is asked; `generation.request` keeps the rest.
Result<engine::InferenceRequest> ReadGenerateRequest(Generation& generation) {
  Call& call = *generation.call;
  const engine::ModelSchema& schema = generation.model->schema();
  generation.request = MLOS_TRY(oip::ReadGenerateRequest(call.body(), schema, call.memory()));
  call.body() = net::ByteBuffer();
  engine::InferenceRequest request =
      RequestOf(generation.call, std::move(generation.request.inputs));
  // A single value has no shape of its own to be exact about.
  MLOS_TRY(runtime::FitInputs(schema, request.inputs));
  return request;
}

Result<net::ByteBuffer> Write(const Generation& generation,
                              const engine::InferenceResponse& response, oip::AnswerForm form) {
  return oip::WriteGenerateAnswer(generation.request, generation.model->model_id(),
                                  generation.model->version(), response, form,
                                  generation.call->service().budget());
}

/// The one answer there is, as the whole of the reply.
Result<wire::Reply> Encode(const Generation& generation, const engine::InferenceResponse& response,
                           oip::AnswerForm form) {
  wire::Reply reply;
  reply.body = MLOS_TRY(Write(generation, response, form));
  if (form == oip::AnswerForm::kDocument) {
    return Pack(*generation.call, std::move(reply), generation.call->service().budget());
  }
  // Left as it is: compressed events would reach the caller late.
  reply.content_type = call::kEventStreamType;
  return reply;
}

void RunOnce(const std::shared_ptr<Generation>& generation, engine::InferenceRequest request,
             oip::AnswerForm form) {
  generation->call->runtime().Infer(
      generation->model, std::move(request),
      [generation, form](Result<engine::InferenceResponse> outcome) {
        if (!outcome.ok() && outcome.status().reason() == Reason::kUnimplemented &&
            generation->model->loaded().streams()) {
          outcome = Status(Reason::kUnimplemented,
                           "the model gives several answers; ask for them with generate_stream");
        }
        FinishEncoded(generation->call, std::move(outcome),
                      [generation, form](const auto& response) {
                        return Encode(*generation, response, form);
                      });
      });
}

/// Gives each answer to the caller as it comes, and holds the model back while the caller does not
/// take them. Its callers take turns.
class EventStream {
 public:
  explicit EventStream(std::shared_ptr<Generation> generation)
      : generation_(std::move(generation)) {}

  void OnResponse(const engine::InferenceResponse& response) {
    if (!failure_.ok()) return;
    failure_ = Send(response);
    // Ends the run before its next response.
    if (!failure_.ok()) generation_->call->Cancel();
  }

  void OnEnd(Status outcome) {
    const std::shared_ptr<Call>& call = generation_->call;
    if (!failure_.ok()) outcome = std::move(failure_);
    if (!outcome.ok()) return call->Finish(std::move(outcome));
    if (body_ == nullptr) call->StartStream(call::kEventStreamType);
    call->Finish(wire::Reply());
  }

 private:
  Status Send(const engine::InferenceResponse& response) {
    net::ByteBuffer event = MLOS_TRY(Write(*generation_, response, oip::AnswerForm::kEvent));
    if (body_ == nullptr) body_ = generation_->call->StartStream(call::kEventStreamType);
    MLOS_TRY(body_->Write(std::move(event)));
    return body_->has_room() ? OkStatus() : AwaitReader();
  }

  Status AwaitReader() {
    Service& service = generation_->call->service();
    const std::optional<Service::Wait> wait = service.TryWaitForReader();
    if (!wait) {
      return {Reason::kOverloaded,
              "the answers are not read as fast as they come, and Core waits for other slow "
              "readers already"};
    }
    body_->AwaitRoom(generation_->call->deadline());
    return OkStatus();
  }

  const std::shared_ptr<Generation> generation_;
  std::shared_ptr<wire::BodyStream> body_;
  Status failure_;
};

void RunStream(const std::shared_ptr<Generation>& generation, engine::InferenceRequest request) {
  if (!generation->model->loaded().streams()) {
    return RunOnce(generation, std::move(request), oip::AnswerForm::kEvent);
  }
  const auto events = std::make_shared<EventStream>(generation);
  generation->call->runtime().Stream(
      generation->model, std::move(request),
      runtime::SinkOf(
          [events](const engine::InferenceResponse& response) { events->OnResponse(response); },
          [events](Status outcome) { events->OnEnd(std::move(outcome)); }));
}

}  // namespace

void Generate(const std::shared_ptr<Call>& call) {
  Status status = StartInference<oip::GenerateRequest>(
      call, ReadGenerateRequest, [](const auto& generation, engine::InferenceRequest request) {
        RunOnce(generation, std::move(request), oip::AnswerForm::kDocument);
      });
  if (!status.ok()) call->Finish(std::move(status));
}

void GenerateStream(const std::shared_ptr<Call>& call) {
  Status status = StartInference<oip::GenerateRequest>(call, ReadGenerateRequest, RunStream);
  if (!status.ok()) call->Finish(std::move(status));
}

}  // namespace mlos::api::http::oip_handlers
