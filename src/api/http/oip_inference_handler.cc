// SPDX-License-Identifier: MIT
#include <algorithm>
#include <chrono>
#include <memory>
#include <utility>

#include "api/http/call.h"
#include "api/http/handlers.h"
#include "api/http/oip/infer_reply.h"
#include "api/http/oip/infer_request.h"
#include "net/deflate.h"

namespace mlos::api::http {
namespace {

// Writing or compressing this much takes about a millisecond.
constexpr std::size_t kSmallReplyBytes = 256 << 10;
constexpr std::size_t kSmallPackedBytes = 64 << 10;
// Below this, compressing costs more than it saves.
constexpr std::size_t kWorthPackingBytes = 1 << 10;

/// An inference between its request and its reply.
struct Inference {
  std::shared_ptr<Call> call;
  std::shared_ptr<runtime::ServedModel> model;
  oip::InferRequest request;
};

std::size_t OutputBytes(const engine::InferenceResponse& response) {
  std::size_t bytes = 0;
  for (const auto& output : response.outputs) bytes += output.tensor.size_bytes();
  return bytes;
}

Result<wire::Reply> Encode(const Inference& inference, const engine::InferenceResponse& response) {
  resource::ByteBudget& budget = inference.call->service().budget();
  wire::Reply reply = MLOS_TRY(oip::WriteInferReply(inference.request, inference.model->model_id(),
                                                    inference.model->version(), response, budget));
  const wire::ContentCoding coding = inference.call->reply_coding();
  if (coding == wire::ContentCoding::kIdentity || reply.body.size() < kWorthPackingBytes) {
    return reply;
  }
  wire::ByteBuffer packed(budget);
  MLOS_TRY(net::Deflate(coding, reply.body.view(), packed));
  reply.body = std::move(packed);
  reply.content_encoding = wire::ToString(coding);
  return reply;
}

void Reply(const std::shared_ptr<Inference>& inference, Result<engine::InferenceResponse> outcome) {
  const std::shared_ptr<Call>& call = inference->call;
  if (!outcome.ok()) return call->Finish(std::move(outcome).status());
  const bool packed = call->reply_coding() != wire::ContentCoding::kIdentity;
  const bool long_work = OutputBytes(*outcome) > (packed ? kSmallPackedBytes : kSmallReplyBytes);
  if (!long_work || !call->on_event_thread()) return call->Finish(Encode(*inference, *outcome));
  const auto response = std::make_shared<engine::InferenceResponse>(std::move(outcome).value());
  call->service().Post(Place::kWorker, [inference, response] {
    inference->call->Finish(Encode(*inference, *response));
  });
}

/// What the runtime is asked; `inference.request` keeps the rest.
Result<engine::InferenceRequest> ReadRequest(Inference& inference) {
  Call& call = *inference.call;
  const engine::ModelSchema& schema = inference.model->schema();
  const std::size_t json_bytes = MLOS_TRY(call.JsonBytes());
  inference.request =
      MLOS_TRY(oip::ReadInferRequest(call.body(), json_bytes, schema, call.memory()));
  if (json_bytes == call.body().size()) call.body() = wire::ByteBuffer();
  engine::InferenceRequest request;
  request.inputs = std::move(inference.request.inputs);
  MLOS_TRY(runtime::CheckInputs(schema, request.inputs));
  for (const auto& output : inference.request.outputs) {
    request.requested_outputs.push_back(output.name);
  }
  request.deadline = call.deadline();
  if (inference.request.timeout_us > 0) {
    const auto timeout = std::chrono::microseconds(std::min<std::int64_t>(
        inference.request.timeout_us, std::chrono::microseconds(std::chrono::hours(24)).count()));
    request.deadline = std::min(request.deadline, SteadyClock::now() + timeout);
  }
  request.cancellation = call.cancellation();
  // Binary tensors point into its body.
  request.keepalive = inference.call;
  return request;
}

Status Start(const std::shared_ptr<Call>& call) {
  runtime::Runtime& runtime = call->runtime();
  const std::string model_id = MLOS_TRY(runtime.ResolveModel(call->id(), call->version()));
  auto inference = std::make_shared<Inference>();
  inference->call = call;
  inference->model = MLOS_TRY(runtime.Acquire(model_id));
  std::shared_ptr<runtime::ServedModel> model = inference->model;
  Result<engine::InferenceRequest> request = ReadRequest(*inference);
  if (!request.ok()) {
    runtime.stats().RecordInference(model->model_id(), model->plugin_id(), request.status(), 0, 0);
    return std::move(request).status();
  }
  runtime.Infer(std::move(model), std::move(request).value(),
                [inference = std::move(inference)](Result<engine::InferenceResponse> outcome) {
                  Reply(inference, std::move(outcome));
                });
  return OkStatus();
}

}  // namespace

void OipInfer(const std::shared_ptr<Call>& call) {
  Status status = Start(call);
  if (!status.ok()) call->Finish(std::move(status));
}

}  // namespace mlos::api::http
