// SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

namespace mlos::api::grpc::call {

/// What the calls of the server go by.
struct Options {
  std::uint64_t message_bytes_max = 256ULL << 20;  ///< of one request message, inflated
  std::int64_t body_timeout_ms = 30'000;           ///< for each 64 KiB of it
  /// The most a caller may ask for with grpc-timeout, and what others get; 0: none.
  std::int64_t request_timeout_ms_max = 600'000;
  /// What the server tells of itself: the version of Core and the doors that are open.
  std::string version;
  std::function<std::vector<std::string>()> apis;
};

}  // namespace mlos::api::grpc::call
