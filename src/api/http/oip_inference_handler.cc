// SPDX-License-Identifier: MIT
#include <algorithm>
#include <chrono>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "api/http/call.h"
#include "api/http/handlers.h"
#include "api/http/oip/generate.h"
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

/// An inference between its request and its reply; `Asked` is what its body says.
template <typename Asked>
struct Inference {
  std::shared_ptr<Call> call;
  std::shared_ptr<catalog::ServedModel> model;
  Asked request;
};

std::size_t OutputBytes(const engine::InferenceResponse& response) {
  std::size_t bytes = 0;
  for (const auto& output : response.outputs) bytes += output.tensor.size_bytes();
  return bytes;
}

Result<wire::Reply> Write(const Inference<oip::InferRequest>& inference,
                          const engine::InferenceResponse& response, resource::ByteBudget& budget) {
  return oip::WriteInferReply(inference.request, inference.model->model_id(),
                              inference.model->version(), response, budget);
}

Result<wire::Reply> Write(const Inference<oip::GenerateRequest>& inference,
                          const engine::InferenceResponse& response, resource::ByteBudget& budget) {
  return oip::WriteGenerateReply(inference.request, inference.model->model_id(),
                                 inference.model->version(), response, budget);
}

template <typename Asked>
Result<wire::Reply> Encode(const Inference<Asked>& inference,
                           const engine::InferenceResponse& response) {
  resource::ByteBudget& budget = inference.call->service().budget();
  wire::Reply reply = MLOS_TRY(Write(inference, response, budget));
  const wire::ContentCoding coding = inference.call->reply_coding();
  if (coding == wire::ContentCoding::kIdentity || reply.body.size() < kWorthPackingBytes) {
    return reply;
  }
  net::ByteBuffer packed(budget);
  MLOS_TRY(net::Deflate(coding, reply.body.view(), packed));
  reply.body = std::move(packed);
  reply.content_encoding = wire::ToString(coding);
  return reply;
}

template <typename Asked>
void Reply(const std::shared_ptr<Inference<Asked>>& inference,
           Result<engine::InferenceResponse> outcome) {
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

// Of what a caller may ask for in microseconds; the daemon's own limit is below.
constexpr std::int64_t kTimeoutUsMax = std::int64_t{24} * 3600 * 1'000'000;

/// What both kinds of request have in common.
engine::InferenceRequest RequestOf(const std::shared_ptr<Call>& call,
                                   std::vector<tensor::NamedTensor> inputs) {
  engine::InferenceRequest request;
  request.inputs = std::move(inputs);
  request.deadline = call->deadline();
  request.cancellation = call->cancellation();
  // Binary tensors point into its body.
  request.keepalive = call;
  return request;
}

/// What the runtime is asked; `inference.request` keeps the rest.
Result<engine::InferenceRequest> ReadRequest(Inference<oip::InferRequest>& inference) {
  Call& call = *inference.call;
  const engine::ModelSchema& schema = inference.model->schema();
  const std::size_t json_bytes = MLOS_TRY(call.JsonBytes());
  inference.request =
      MLOS_TRY(oip::ReadInferRequest(call.body(), json_bytes, schema, call.memory()));
  if (json_bytes == call.body().size()) call.body() = net::ByteBuffer();
  engine::InferenceRequest request = RequestOf(inference.call, std::move(inference.request.inputs));
  MLOS_TRY(runtime::CheckInputs(schema, request.inputs));
  for (const auto& output : inference.request.outputs) {
    request.requested_outputs.push_back(output.name);
  }
  if (inference.request.timeout_us > 0) {
    const std::int64_t timeout_us = std::min(inference.request.timeout_us, kTimeoutUsMax);
    request.deadline =
        std::min(request.deadline, SteadyClock::now() + std::chrono::microseconds(timeout_us));
  }
  return request;
}

Result<engine::InferenceRequest> ReadRequest(Inference<oip::GenerateRequest>& inference) {
  Call& call = *inference.call;
  const engine::ModelSchema& schema = inference.model->schema();
  inference.request = MLOS_TRY(oip::ReadGenerateRequest(call.body(), schema, call.memory()));
  call.body() = net::ByteBuffer();
  engine::InferenceRequest request = RequestOf(inference.call, std::move(inference.request.inputs));
  // A single value has no shape of its own to be exact about.
  MLOS_TRY(runtime::FitInputs(schema, request.inputs));
  return request;
}

/// Reads the body, and runs the model that the path names.
template <typename Asked>
Status Start(const std::shared_ptr<Call>& call) {
  runtime::Runtime& runtime = call->runtime();
  const std::string model_id = MLOS_TRY(runtime.ResolveModel(call->id(), call->version()));
  auto inference = std::make_shared<Inference<Asked>>();
  inference->call = call;
  inference->model = MLOS_TRY(runtime.Acquire(model_id));
  std::shared_ptr<catalog::ServedModel> model = inference->model;
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
  Status status = Start<oip::InferRequest>(call);
  if (!status.ok()) call->Finish(std::move(status));
}

void OipGenerate(const std::shared_ptr<Call>& call) {
  Status status = Start<oip::GenerateRequest>(call);
  if (!status.ok()) call->Finish(std::move(status));
}

}  // namespace mlos::api::http
