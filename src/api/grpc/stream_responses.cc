// SPDX-License-Identifier: MIT
#include "api/grpc/stream_responses.h"

#include <algorithm>
#include <chrono>
#include <utility>

namespace mlos::api::grpc {
namespace {

// Beside the message that goes over it.
constexpr std::size_t kWaitingBytesMax = 8 << 20;

}  // namespace

void StreamResponses(runtime::Runtime& runtime, std::shared_ptr<runtime::ServedModel> model,
                     engine::InferenceRequest request,
                     std::function<void(engine::InferenceResponse)> on_response,
                     std::function<void(Status)> on_end) {
  runtime.Infer(std::move(model), std::move(request),
                [on_response = std::move(on_response),
                 on_end = std::move(on_end)](Result<engine::InferenceResponse> outcome) {
                  if (!outcome.ok()) return on_end(outcome.status());
                  on_response(std::move(outcome).value());
                  on_end(OkStatus());
                });
}

bool SendInStream(call::Call& call, net::ByteBuffer message) {
  Status status = message.status();
  if (status.ok() && call.waiting_bytes() > kWaitingBytesMax) {
    status = Status(Reason::kOverloaded,
                    "more than 8388608 bytes of responses wait to be read; the call is given up");
  }
  if (!status.ok()) {
    call.cancellation()->Cancel();
    call.Finish(status);
    return false;
  }
  call.Send(std::move(message));
  return true;
}

Deadline RequestDeadline(call::Call& call) {
  const std::int64_t timeout_ms = call.service().options().request_timeout_ms_max;
  if (timeout_ms == 0) return call.deadline();
  return std::min(call.deadline(), SteadyClock::now() + std::chrono::milliseconds(timeout_ms));
}

}  // namespace mlos::api::grpc
