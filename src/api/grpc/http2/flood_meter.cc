// SPDX-License-Identifier: MIT
#include "api/grpc/http2/flood_meter.h"

#include <chrono>

namespace mlos::api::grpc::http2 {

void FloodMeter::OnTick(SteadyClock::time_point now) {
  if (now < window_end_) return;
  window_end_ = now + std::chrono::seconds(10);
  overhead_ = 0;
  earned_ = 0;
}

}  // namespace mlos::api::grpc::http2
