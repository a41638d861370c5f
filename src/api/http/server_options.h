// SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "api/http/call/options.h"
#include "api/http/wire/limits.h"

namespace mlos::net::tls {
class Server;
}  // namespace mlos::net::tls

namespace mlos::api::http {

struct ServerOptions {
  /// An IPv4 or IPv6 address; "localhost" is 127.0.0.1.
  std::string host = "127.0.0.1";
  std::uint16_t port = 8080;              ///< 0: one the kernel picks
  unsigned threads = 0;                   ///< event threads; 0: one for each core
  std::shared_ptr<net::tls::Server> tls;  ///< null: plain TCP

  /// Values of `Host` that are answered beside the loopback names and the bound address, and the
  /// hosts an `Origin` may name: "models.example.com". "*" allows any.
  std::vector<std::string> allowed_hosts;
  /// Origins whose pages may send requests and read the answers, as guard::ParseOrigin takes them.
  std::vector<std::string> cors_origins;

  wire::Limits limits;
  call::Options calls;
};

}  // namespace mlos::api::http
