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
  /// Closes the connection that waits longest for a request, soon. From any thread.
  void CloseOneIdle();

 protected:
  bool CloseIdle(const boost::asio::ip::address* peer) override;

 private:
  std::shared_ptr<net::Connection> Make(net::Stream stream,
                                        const boost::asio::ip::address& peer) override;
  void OnTick() override;

  std::int64_t date_seconds_ = 0;
};

}  // namespace mlos::api::http::wire
