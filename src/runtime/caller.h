// SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>
#include <string_view>

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
};

}  // namespace mlos::runtime
