// SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>

#include "api/http/guard/head_limits.h"

namespace mlos::api::http::wire {

/// What a caller may take of the server before it is refused or cut off.
struct Limits {
  guard::HeadLimits head;

  std::int64_t header_timeout_ms = 10'000;  ///< from its first byte to its end
  std::int64_t body_timeout_ms = 30'000;    ///< for each 64 KiB of a body
  std::int64_t write_timeout_ms = 30'000;   ///< for each 64 KiB of a reply
  std::int64_t idle_timeout_ms = 75'000;    ///< between requests

  /// Above these connections are closed to make room: see net::TcpLoop.
  unsigned connections_max = 8192;
  unsigned connections_per_peer_max = 8192;
};

}  // namespace mlos::api::http::wire
