// SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

namespace mlos::api::http::call {

/// What the calls of the server go by.
struct Options {
  std::uint64_t body_bytes_max = 256ULL << 20;
  /// The most a caller may ask for with X-Request-Timeout-Ms, and what others get; 0: none.
  std::int64_t request_timeout_ms_max = 600'000;

  /// Threads of the compute pool that may wait for readers of streams, while others do without
  /// them.
  unsigned slow_readers_max = 1;

  /// What /health tells: the version of Core and the doors that are open ("http", "grpc", "ipc").
  std::string version;
  std::function<std::vector<std::string>()> apis;
};

}  // namespace mlos::api::http::call
