// SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>
#include <memory>
#include <string_view>

#include "api/door/operation.h"
#include "api/ipc/wire/protocol.h"

namespace mlos::api::ipc {

class Request;

/// One thing a client may ask for, or what it may not: that has no `handle`.
struct Operation {
  wire::FrameType type;
  /// In the metrics.
  std::string_view name;
  door::Operation operation;
  std::uint8_t descriptors;
  /// Answers the request, now or later.
  void (*handle)(const std::shared_ptr<Request>& request);
};

}  // namespace mlos::api::ipc
