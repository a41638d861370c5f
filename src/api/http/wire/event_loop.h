// SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>
#include <memory>

#include "api/http/wire/connection_host.h"
#include "base/unique_fd.h"

namespace mlos::api::http::wire {

/// One thread's share of the HTTP door.
class EventLoop : public ConnectionHost {
 public:
  static Result<std::shared_ptr<EventLoop>> Create(UniqueFd listening, const Limits& limits,
                                                   std::shared_ptr<Handler> handler,
                                                   std::shared_ptr<net::TlsServer> tls);
  /// One that adopts plain connections; see AwaitConnections.
  static std::shared_ptr<EventLoop> CreateAdopting(const Limits& limits,
                                                   std::shared_ptr<Handler> handler,
                                                   bool listens_on_any);
  /// Closes the connection that waits longest for a request, soon. From any thread.
  void CloseOneIdle();

 protected:
  using ConnectionHost::ConnectionHost;
  bool CloseIdle(const boost::asio::ip::address* peer) override;

 private:
  std::shared_ptr<net::Connection> Make(net::Stream stream,
                                        const boost::asio::ip::address& peer) override;
  void OnTick() override;

  std::int64_t date_seconds_ = 0;
};

}  // namespace mlos::api::http::wire
