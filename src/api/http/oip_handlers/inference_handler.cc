// SPDX-License-Identifier: MIT
#include <memory>
#include <utility>

#include "api/http/oip/infer_reply.h"
#include "api/http/oip/infer_request.h"
#include "api/http/oip_handlers/handlers.h"
#include "api/http/oip_handlers/inference.h"
#include "api/oip/description.h"

namespace mlos::api::http::oip_handlers {
namespace {

using call::Call;
using OipInference = Inference<oip::InferRequest>;

Result<wire::Reply> Encode(const OipInference& inference,
                           const engine::InferenceResponse& response) {
  resource::ByteBudget& budget = inference.call->service().budget();
  wire::Reply reply = MLOS_TRY(oip::WriteInferReply(inference.request, inference.model->model_id(),
                                                    inference.model->version(), response, budget));
  return Pack(*inference.call, std::move(reply), budget);
}

/// What the runtime is asked; `inference.request` keeps the rest.
Result<engine::InferenceRequest> ReadRequest(OipInference& inference) {
  Call& call = *inference.call;
  const engine::ModelSchema& schema = inference.model->schema();
  const std::size_t json_bytes = MLOS_TRY(call.JsonBytes());
  inference.request =
      MLOS_TRY(oip::ReadInferRequest(call.body(), json_bytes, schema, call.memory()));
  if (json_bytes == call.body().size()) call.body() = net::ByteBuffer();
  engine::InferenceRequest request = RequestOf(inference.call, std::move(inference.request.inputs));
  request.sequence = std::move(inference.request.sequence);
  MLOS_TRY(runtime::CheckRequest(*inference.model, request));
  for (const auto& output : inference.request.outputs) {
    request.requested_outputs.push_back(output.name);
  }
  request.deadline = api::oip::Bounded(request.deadline, inference.request.timeout_us);
  return request;
}

void Run(const std::shared_ptr<OipInference>& inference, engine::InferenceRequest request) {
  inference->call->runtime().Infer(
      inference->model, std::move(request), [inference](Result<engine::InferenceResponse> outcome) {
        FinishEncoded(inference->call, std::move(outcome),
                      [inference](const auto& response) { return Encode(*inference, response); });
      });
}

}  // namespace

void Infer(const std::shared_ptr<Call>& call) {
  Status status = StartInference<oip::InferRequest>(call, ReadRequest, Run);
  if (!status.ok()) call->Finish(std::move(status));
}

}  // namespace mlos::api::http::oip_handlers
