// SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>
#include <memory>

#include "api/http/wire/connection_host.h"

namespace mlos::api::http::wire {

/// One thread's share of the HTTP door.
class EventLoop : public ConnectionHost {
 public:
  using ConnectionHost::ConnectionHost;
  /// Closes a connection that waits for a request, soon, of the address that has most if it has
  /// one. From any thread.
  void CloseOneIdle();

 protected:
  bool CloseIdle(const boost::asio::ip::address* peer) override;

 private:
  std::shared_ptr<net::PeerConnection> Make(net::Stream stream,
                                            const boost::asio::ip::address& peer) override;
  void OnTick() override;

  std::int64_t date_seconds_ = 0;
};

}  // namespace mlos::api::http::wire
