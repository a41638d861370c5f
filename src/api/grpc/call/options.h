// SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>

namespace mlos::api::grpc::call {

/// What the calls of the server go by.
struct Options {
  std::uint64_t message_bytes_max = 256ULL << 20;  ///< of one request message, inflated
  std::int64_t body_timeout_ms = 30'000;           ///< for each 64 KiB of it
};

}  // namespace mlos::api::grpc::call
