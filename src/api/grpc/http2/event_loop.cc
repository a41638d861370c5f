// SPDX-License-Identifier: MIT
#include "api/grpc/http2/event_loop.h"

#include <algorithm>
#include <utility>

#include "api/grpc/http2/connection.h"

namespace mlos::api::grpc::http2 {

std::shared_ptr<net::PeerConnection> EventLoop::Make(net::Stream stream,
                                                     const boost::asio::ip::address& peer) {
  return std::make_shared<Connection>(*this, std::move(stream), peer);
}

bool EventLoop::CloseIdle(const boost::asio::ip::address* peer) {
  const auto found =
      std::find_if(open().begin(), open().end(), [&](const net::Connection& connection) {
        const auto& of_http2 = static_cast<const Connection&>(connection);
        return of_http2.idle() && (peer == nullptr || of_http2.peer() == *peer);
      });
  if (found == open().end()) return false;
  found->Close();
  return true;
}

}  // namespace mlos::api::grpc::http2
