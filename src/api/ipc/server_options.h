// SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace mlos::api::ipc {

struct ServerOptions {
  std::string socket;         ///< path of the Unix socket
  std::string second_socket;  ///< served beside it if nothing is in the way there; or empty
  std::uint32_t mode = 0600;  ///< of the socket: who may connect
  unsigned threads = 0;       ///< event threads; 0: one for each core, two at most
  unsigned connections_max = 1024;
  unsigned rings_max = 32;           ///< each has a thread of its own
  std::uint16_t requests_max = 256;  ///< in flight on one connection
  std::uint32_t regions_max = 64;    ///< mapped by one connection
  /// Of all connections: a process may have only so many mappings.
  std::uint32_t all_regions_max = 8192;
  std::uint64_t region_bytes_max = 8ULL << 30;  ///< mapped by one connection, in all
  /// Users that may connect beside Core's own and root; empty: whoever the mode lets in.
  std::vector<std::uint32_t> users;

  std::int64_t frame_timeout_ms = 30'000;  ///< for the hello, and each 64 KiB of a frame
  std::int64_t write_timeout_ms = 30'000;  ///< for the client to take anything of its answers
  std::int64_t idle_timeout_ms = 600'000;  ///< without a request or a byte; 0: without end
};

}  // namespace mlos::api::ipc
