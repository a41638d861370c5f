// SPDX-License-Identifier: MIT
#pragma once

#include <cstddef>
#include <cstdint>

namespace mlos::api::grpc::http2 {

/// What a caller may take of the server before it is refused or cut off.
struct Limits {
  std::int64_t header_timeout_ms = 10'000;  ///< of the preface, and of each header block
  std::int64_t body_timeout_ms = 30'000;    ///< for each 64 KiB of a request message
  std::int64_t write_timeout_ms = 30'000;   ///< for each 64 KiB a caller takes
  std::int64_t idle_timeout_ms = 75'000;    ///< without a stream; with one: until it is pinged

  unsigned connections_max = 8192;
  unsigned connections_per_peer_max = 8192;

  std::uint32_t streams_max = 128;       ///< open at once on one connection
  std::size_t header_bytes_max = 16384;  ///< of a header list, as RFC 9113 6.5.2 counts it
};

/// What a caller may send ahead of the server on one stream and on one connection.
inline constexpr std::int32_t kStreamWindowBytes = 1 << 20;
inline constexpr std::int32_t kConnectionWindowBytes = 4 << 20;

}  // namespace mlos::api::grpc::http2
