// SPDX-License-Identifier: MIT
#pragma once

#include <memory>

#include "api/grpc/http2/connection_host.h"

namespace mlos::api::grpc::http2 {

/// One thread's share of the gRPC door.
class EventLoop final : public ConnectionHost {
 public:
  using ConnectionHost::ConnectionHost;

 private:
  std::shared_ptr<net::PeerConnection> Make(net::Stream stream,
                                            const boost::asio::ip::address& peer) override;
  bool CloseIdle(const boost::asio::ip::address* peer) override;
};

}  // namespace mlos::api::grpc::http2
