// SPDX-License-Identifier: MIT
#pragma once

#include <boost/asio/ip/address.hpp>
#include <boost/intrusive/list_hook.hpp>
#include <utility>

#include "base/clock.h"

namespace mlos::net {

using OpenHook = boost::intrusive::list_base_hook<boost::intrusive::tag<struct OpenTag>>;

/// One connection of a caller as its event loop sees it: open from Start until it has left
/// the loop. Everything happens on the loop's thread.
class Connection : public OpenHook {
 public:
  Connection() = default;
  Connection(const Connection&) = delete;
  Connection& operator=(const Connection&) = delete;
  virtual ~Connection() = default;

  /// Begins to serve. From here on it keeps itself alive until it is closed.
  virtual void Start() = 0;
  /// Acts on deadlines that have passed.
  virtual void OnTick(SteadyClock::time_point now) = 0;
  /// The server goes down: takes no new request, and closes after the requests in progress.
  virtual void Drain() = 0;
  /// Closes at once; no effect if it is closed already.
  virtual void Close() = 0;
};

/// A connection that may have to make room for those of other addresses.
class PeerConnection : public Connection {
 public:
  explicit PeerConnection(boost::asio::ip::address peer) : peer_(std::move(peer)) {}

  const boost::asio::ip::address& peer() const { return peer_; }
  /// Core has nothing to do for it but to wait for the peer: until that sends the rest of a
  /// request, or takes a reply.
  virtual bool awaits_peer() const = 0;
  /// Drain was called: it closes after what it has to do.
  virtual bool draining() const = 0;

 private:
  const boost::asio::ip::address peer_;
};

}  // namespace mlos::net
