// SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>
#include <memory>
#include <string>

#include "api/grpc/call/options.h"
#include "api/grpc/http2/limits.h"

namespace mlos::net::tls {
class Server;
}  // namespace mlos::net::tls

namespace mlos::api::grpc {

struct ServerOptions {
  /// An IPv4 or IPv6 address; "localhost" is 127.0.0.1.
  std::string host = "127.0.0.1";
  std::uint16_t port = 8081;              ///< 0: one the kernel picks
  unsigned threads = 0;                   ///< event threads; 0: one for each core
  std::shared_ptr<net::tls::Server> tls;  ///< null: plain TCP
  http2::Limits limits;
  call::Options calls;
};

}  // namespace mlos::api::grpc
