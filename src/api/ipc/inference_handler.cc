// SPDX-License-Identifier: MIT
#include <algorithm>
#include <chrono>
#include <string>
#include <utility>

#include "api/ipc/operations.h"
#include "api/ipc/tensors.h"
#include "runtime/fit.h"

namespace mlos::api::ipc {
namespace {

// Copying this much takes a tenth of a millisecond.
constexpr std::uint64_t kSmallCopyBytes = 1 << 20;

/// An inference between its request and its answer, and what its tensors point into.
struct Inference {
  std::shared_ptr<Request> request;
  std::shared_ptr<catalog::ServedModel> model;
  RegionHold regions;
  std::vector<OutputPlace> places;
};

Deadline DeadlineOf(const Request& request, std::uint64_t timeout_us) {
  using std::chrono::microseconds;
  const std::int64_t limit_ms = request.origin().service->options().request_timeout_ms_max;
  std::uint64_t limit_us = static_cast<std::uint64_t>(limit_ms) * 1000;
  if (limit_us == 0) limit_us = microseconds(std::chrono::hours(24 * 365)).count();
  if (timeout_us == 0 && limit_ms == 0) return kNoDeadline;
  const std::uint64_t us = timeout_us == 0 ? limit_us : std::min(timeout_us, limit_us);
  return request.start() + microseconds(static_cast<std::int64_t>(us));
}

void Reply(const Inference& inference, Result<engine::InferenceResponse> outcome) {
  Request& request = *inference.request;
  if (!outcome.ok()) return request.Finish(std::move(outcome).status());
  request.Finish(MakeResult(request, *inference.model, *outcome, inference.places));
}

Result<engine::InferenceRequest> Prepare(Inference& inference, wire::InferMessage message) {
  engine::InferenceRequest request;
  inference.places = MLOS_TRY(FindPlaces(inference.request->session(), message.outputs));
  for (const wire::TensorEntry& output : message.outputs) {
    request.requested_outputs.emplace_back(output.name);
  }
  request.inputs =
      MLOS_TRY(MakeInputs(*inference.request, std::move(message.inputs), inference.regions));
  request.sequence = MLOS_TRY(engine::MakeSequenceStep(
      std::string(message.sequence_id), message.sequence_start, message.sequence_end));
  MLOS_TRY(message.fit ? runtime::FitRequest(*inference.model, request)
                       : runtime::CheckRequest(*inference.model, request));
  request.cancellation = {inference.request, inference.request->cancellation()};
  return request;
}

void Run(const std::shared_ptr<Request>& request, wire::InferMessage message, Deadline deadline) {
  runtime::Runtime& runtime = request->runtime();
  auto model = runtime.Acquire(message.model_id);
  if (!model.ok()) return request->Finish(std::move(model).status());
  auto inference = std::make_shared<Inference>();
  inference->request = request;
  inference->model = *model;
  Result<engine::InferenceRequest> prepared = Prepare(*inference, std::move(message));
  if (!prepared.ok()) {
    (*model)->counts()->Record(prepared.status(), 0, 0);
    return request->Finish(std::move(prepared).status());
  }
  prepared->deadline = deadline;
  prepared->keepalive = inference;
  runtime.Infer(std::move(*model), std::move(prepared).value(),
                [inference = std::move(inference)](Result<engine::InferenceResponse> outcome) {
                  Reply(*inference, std::move(outcome));
                });
}

}  // namespace

void Infer(const std::shared_ptr<Request>& request) {
  Result<wire::InferMessage> message = wire::DecodeInfer(request->body());
  if (!message.ok()) return request->Finish(std::move(message).status());
  const Deadline deadline = DeadlineOf(*request, message->timeout_us);
  const Result<std::uint64_t> copied = BytesToCopy(request->session(), message->inputs);
  if (!copied.ok()) return request->Finish(copied.status());
  if (*copied <= kSmallCopyBytes) return Run(request, std::move(message).value(), deadline);
  request->service().Post([request, deadline, message = std::move(message).value()]() mutable {
    Run(request, std::move(message), deadline);
  });
}

}  // namespace mlos::api::ipc
