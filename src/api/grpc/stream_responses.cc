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
