// SPDX-License-Identifier: MIT
#pragma once

#include <cstddef>
#include <memory>
#include <utility>
#include <vector>

#include "api/http/call/call.h"

// What the routes of the Open Inference Protocol that run models have in common.
namespace mlos::api::http::oip_handlers {

/// An inference between its request and its reply; `Asked` is what its body says.
template <typename Asked>
struct Inference {
  std::shared_ptr<call::Call> call;
  std::shared_ptr<catalog::ServedModel> model;
  Asked request;
};

/// What the runtime is asked for `call`.
engine::InferenceRequest RequestOf(const std::shared_ptr<call::Call>& call,
                                   std::vector<tensor::NamedTensor> inputs);

/// Finds the model that the path names and has `read(Inference<Asked>&)` make a request of the
/// body; `run(inference, request)` is called with it. A request that is refused in between is
/// counted for its model.
template <typename Asked, typename Read, typename Run>
Status StartInference(const std::shared_ptr<call::Call>& call, Read read, Run run) {
  runtime::Runtime& runtime = call->runtime();
  const std::string model_id = MLOS_TRY(runtime.ResolveModel(call->id(), call->version()));
  auto inference = std::make_shared<Inference<Asked>>();
  inference->call = call;
  inference->model = MLOS_TRY(runtime.Acquire(model_id));
  Result<engine::InferenceRequest> request = read(*inference);
  if (!request.ok()) {
    inference->model->counts()->Record(request.status(), 0, 0);
    return std::move(request).status();
  }
  run(std::move(inference), std::move(request).value());
  return OkStatus();
}

/// Whether writing the outputs takes too long for this thread.
bool KeepsThreadBusy(const call::Call& call, const engine::InferenceResponse& response);

/// Finishes `call` with what `encode(response)` makes of the outcome, on another thread where it
/// would keep this one busy.
template <typename Encode>
void FinishEncoded(const std::shared_ptr<call::Call>& call,
                   Result<engine::InferenceResponse> outcome, Encode encode) {
  if (!outcome.ok()) return call->Finish(std::move(outcome).status());
  if (!KeepsThreadBusy(*call, *outcome)) return call->Finish(encode(*outcome));
  const auto response = std::make_shared<engine::InferenceResponse>(std::move(outcome).value());
  call->service().Post(call::Place::kWorker, [call, response, encode = std::move(encode)] {
    call->Finish(encode(*response));
  });
}

/// The reply, compressed as the caller of `call` likes it where that is worth it.
Result<wire::Reply> Pack(const call::Call& call, wire::Reply reply, resource::ByteBudget& budget);

}  // namespace mlos::api::http::oip_handlers
