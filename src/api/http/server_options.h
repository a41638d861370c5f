// SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

namespace mlos::net {
class TlsServer;
}

namespace mlos::api::http {

struct ServerOptions {
  /// An IPv4 or IPv6 address; "localhost" is 127.0.0.1.
  std::string host = "127.0.0.1";
  std::uint16_t port = 8080;            ///< 0: one the kernel picks
  unsigned threads = 0;                 ///< event threads; 0: one for each core
  std::shared_ptr<net::TlsServer> tls;  ///< null: plain TCP

  /// Values of `Host` that are answered beside the loopback names and the bound address, and the
  /// hosts an `Origin` may name: "models.example.com". "*" allows any.
  std::vector<std::string> allowed_hosts;

  std::uint64_t body_bytes_max = 256ULL << 20;

  std::int64_t header_timeout_ms = 10'000;  ///< from its first byte to its end
  std::int64_t body_timeout_ms = 30'000;    ///< for each 64 KiB of it
  std::int64_t write_timeout_ms = 30'000;   ///< for each 64 KiB of a reply
  std::int64_t idle_timeout_ms = 75'000;    ///< between requests
  /// The most a caller may ask for with X-Request-Timeout-Ms, and what others get; 0: none.
  std::int64_t request_timeout_ms_max = 600'000;

  /// Above these the connections that wait for a request are closed, longest wait first.
  unsigned connections_max = 8192;
  unsigned connections_per_peer_max = 2048;

  /// Threads of the compute pool that may wait for readers of streams, while others do without
  /// them.
  unsigned slow_readers_max = 1;

  /// What /health tells: the version of Core and the doors that are open ("http", "grpc", "ipc").
  std::string version;
  std::function<std::vector<std::string>()> apis;
};

}  // namespace mlos::api::http
