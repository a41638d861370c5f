// SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>
#include <string_view>

#include "resource/byte_budget.h"

namespace mlos::runtime {

enum class Door : std::uint8_t { kHttp, kGrpc, kIpc };

/// "http", "grpc" or "ipc".
constexpr std::string_view ToString(Door door) {
  switch (door) {
    case Door::kHttp:
      return "http";
    case Door::kGrpc:
      return "grpc";
    case Door::kIpc:
      break;
  }
  return "ipc";
}

/// Who asks. Doors give it to every call of the runtime that is asked for somebody.
struct Caller {
  Door door = Door::kHttp;
  /// What is kept for it from one request to the next counts against this, which outlives it; null:
  /// against the whole budget.
  resource::ByteBudget* account = nullptr;
};

}  // namespace mlos::runtime
