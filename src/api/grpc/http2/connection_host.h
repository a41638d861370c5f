// SPDX-License-Identifier: MIT
#pragma once

#include <memory>
#include <utility>

#include "api/grpc/http2/limits.h"
#include "api/grpc/http2/stream.h"
#include "net/tcp_loop.h"

namespace mlos::api::grpc::http2 {

/// The event loop as its connections see it: beside what every door has, who takes the streams.
class ConnectionHost : public net::TcpLoop {
 public:
  /// `tls`, null for plain connections, encrypts them.
  ConnectionHost(const Limits& limits, std::shared_ptr<Acceptor> acceptor,
                 std::shared_ptr<net::tls::Server> tls = nullptr)
      : net::TcpLoop({.door = "grpc",
                      .connections_max = limits.connections_max,
                      .connections_per_peer_max = limits.connections_per_peer_max,
                      .tls = std::move(tls),
                      .protocols = &kProtocols}),
        limits_(limits),
        acceptor_(std::move(acceptor)) {}

  Acceptor& acceptor() { return *acceptor_; }
  const Limits& limits() const { return limits_; }

 private:
  static constexpr net::tls::Protocols kProtocols{.names = "\x02h2", .required = true};

  const Limits limits_;
  const std::shared_ptr<Acceptor> acceptor_;
};

}  // namespace mlos::api::grpc::http2
