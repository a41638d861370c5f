// SPDX-License-Identifier: MIT
#pragma once

#include <memory>

#include "api/grpc/http2/connection_host.h"
#include "base/unique_fd.h"

namespace mlos::api::grpc::http2 {

/// One thread's share of the gRPC door.
class EventLoop final : public ConnectionHost {
 public:
  static Result<std::shared_ptr<EventLoop>> Create(UniqueFd listening, const Limits& limits,
                                                   std::shared_ptr<Acceptor> acceptor,
                                                   std::shared_ptr<net::TlsServer> tls);

 private:
  using ConnectionHost::ConnectionHost;

  std::shared_ptr<net::Connection> Make(net::Stream stream,
                                        const boost::asio::ip::address& peer) override;
  bool CloseIdle(const boost::asio::ip::address* peer) override;
};

}  // namespace mlos::api::grpc::http2
