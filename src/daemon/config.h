// SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace mlos::daemon {

/// The configuration of Core, merged from flags, environment, file and defaults. Every member has a
/// row in the option table (options.cc), which holds names, ranges and help.
struct Config {
  std::uint16_t http_port = 8080;
  std::string http_host = "127.0.0.1";
  std::vector<std::string> allowed_hosts;
  std::vector<std::string> cors_origins;
  std::uint16_t grpc_port = 8081;
  std::string tls_cert;
  std::string tls_key;
  std::string tls_client_ca;
  bool insecure = false;
  std::string socket;  ///< LoadConfig fills it in
  std::uint32_t socket_mode = 0600;
  std::vector<std::string> socket_users;
  std::uint32_t socket_connections_max = 1'024;
  std::uint32_t socket_idle_timeout_ms = 600'000;
  bool no_http = false;
  bool no_grpc = false;
  bool no_ipc = false;

  std::string state_dir;
  std::vector<std::string> plugin_dirs;
  std::vector<std::string> model_roots;

  std::uint64_t body_bytes_max = 256ULL << 20;
  std::uint64_t in_flight_bytes_max = 2ULL << 30;
  std::uint32_t connections_max = 8'192;
  std::uint32_t connections_per_peer_max = 0;
  std::uint32_t header_timeout_ms = 10'000;
  std::uint32_t body_timeout_ms = 30'000;
  std::uint32_t write_timeout_ms = 30'000;
  std::uint32_t idle_timeout_ms = 75'000;
  std::uint32_t request_timeout_ms_max = 600'000;
  std::uint32_t load_wait_ms = 30'000;
  std::uint32_t drain_timeout_ms = 30'000;

  std::uint32_t http_threads = 0;
  std::uint32_t grpc_threads = 0;
  std::uint32_t grpc_streams_max = 128;
  std::uint32_t compute_threads = 0;
  std::uint32_t intra_op_threads = 0;
  std::uint32_t queue_length_max = 1'024;
  std::uint32_t max_batch_size = 32;
  std::uint32_t max_queue_delay_us = 2'000;
  std::uint32_t sequences_max = 4'096;
  std::uint32_t sequence_idle_timeout_ms = 60'000;
  std::uint64_t arena_bytes_max = 4ULL << 30;
  std::uint64_t model_copies_bytes_max = 0;
  std::uint32_t scrub_interval_s = 0;
  std::uint32_t probe_timeout_ms = 120'000;

  bool metrics_full = false;
  std::string log_level = "info";
  std::string log_format = "text";

  /// Whether a door is open that the network can reach.
  bool listens_on_network() const { return !no_http || !no_grpc; }
};

}  // namespace mlos::daemon
