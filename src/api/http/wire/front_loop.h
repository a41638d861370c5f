// SPDX-License-Identifier: MIT
#pragma once

#include <memory>
#include <vector>

#include "api/http/wire/event_loop.h"
#include "net/listener.h"
#include "net/sockets.h"

namespace mlos::api::http::wire {

/// The loop that accepts the plain connections of the door and answers health checks itself, on a
/// thread that does nothing else: however long the others are, health is answered at once. With the
/// first request that asks for anything else, or that is malformed, a connection goes to one of the
/// other loops and stays there. One that has asked for nothing yet goes there unasked where its
/// place is wanted. If the process has no descriptor left and nothing idle can be closed, health is
/// still answered, with the descriptor in reserve, and all else is refused.
class FrontLoop final : public EventLoop {
 public:
  FrontLoop(const Limits& limits, std::shared_ptr<Handler> handler,
            std::vector<std::shared_ptr<EventLoop>> others)
      : EventLoop(limits, std::move(handler)), others_(std::move(others)) {}

  Keeping Keeps(const RequestHead* head) override;
  void HandOver(UniqueFd socket, net::ByteBuffer received) override;

 private:
  bool CloseIdle(const boost::asio::ip::address* peer) override;
  /// None: a newcomer without a place here goes to another loop, which closes one if it has to.
  bool CloseAwaiting(const boost::asio::ip::address& /*peer*/) override { return false; }
  bool Retire(const boost::asio::ip::address& /*peer*/) override { return false; }
  void OnNoRoom(UniqueFd socket) override;
  void OnNoDescriptor() override;
  void ServeInNeed(UniqueFd& socket) override { Adopt(std::move(socket), {}); }
  void OnDrained() override;

  const std::vector<std::shared_ptr<EventLoop>> others_;
  std::size_t next_ = 0;
};

/// Serves plain connections with a FrontLoop and `threads` loops behind it. A part of the
/// connections that `limits` allow may be at the front, the rest is shared out equally. `sockets`
/// is one. IO_ERROR.
Result<std::unique_ptr<net::Listener>> ListenWithFront(net::ListeningSockets sockets,
                                                       unsigned threads, const Limits& limits,
                                                       const std::shared_ptr<Handler>& handler);

}  // namespace mlos::api::http::wire
