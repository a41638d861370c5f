// SPDX-License-Identifier: MIT
#pragma once

#include <boost/intrusive/list.hpp>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <utility>

#include "api/http/wire/handler.h"
#include "api/http/wire/limits.h"
#include "net/stream_connection.h"
#include "net/tcp_loop.h"

namespace mlos::api::http::wire {

using WaitingHook = boost::intrusive::list_base_hook<boost::intrusive::tag<struct WaitingTag>>;

/// A connection that, at times, waits for a request.
class WaitingConnection : public net::StreamConnection, public WaitingHook {
 public:
  using net::StreamConnection::StreamConnection;
  /// Gives itself to HandOver, soon, with what it has received.
  virtual void Leave() = 0;
  /// False before the first request.
  virtual bool has_asked() const = 0;
};

/// Whether a request is answered by the loop that has read it.
enum class Keeping : std::uint8_t {
  kNo,
  kYes,
  /// Yes, but the process has no descriptor left: if it is no health check it is refused, and the
  /// reply is the last of its connection.
  kInNeed,
};

/// The event loop as its connections see it: beside what every door has, the requests' handler and
/// the connections that wait, among which one is closed where others want its place.
class ConnectionHost : public net::TcpLoop {
 public:
  /// `tls`, null for plain connections, encrypts them.
  ConnectionHost(const Limits& limits, std::shared_ptr<Handler> handler,
                 std::shared_ptr<net::tls::Server> tls = nullptr)
      : net::TcpLoop({.door = "http",
                      .connections_max = limits.connections_max,
                      .connections_per_peer_max = limits.connections_per_peer_max,
                      .tls = std::move(tls),
                      .protocols = &kProtocols}),
        limits_(limits),
        handler_(std::move(handler)) {}

  /// Between these two the connection may be closed to make room for others.
  void EnterWaiting(WaitingConnection& connection) { waiting_.push_back(connection); }
  void LeaveWaiting(WaitingConnection& connection) {
    if (connection.WaitingHook::is_linked()) waiting_.erase(waiting_.iterator_to(connection));
  }

  /// Whether a request is answered here; `head` is null for one that is malformed. Otherwise the
  /// connection is given to HandOver, with all that was received and not yet answered.
  virtual Keeping Keeps(const RequestHead* /*head*/) { return Keeping::kYes; }
  virtual void HandOver(UniqueFd /*socket*/, net::ByteBuffer /*received*/) {}

  Handler& handler() const { return *handler_; }
  const Limits& limits() const { return limits_; }
  /// The value of the header Date.
  const std::string& date() const { return date_; }

 protected:
  using WaitingList =
      boost::intrusive::list<WaitingConnection, boost::intrusive::base_hook<WaitingHook>>;
  /// Longest waiting first.
  WaitingList& waiting() { return waiting_; }
  void set_date(std::string date) { date_ = std::move(date); }

 private:
  static constexpr net::tls::Protocols kProtocols{.names = "\x08http/1.1\x08http/1.0"};

  const Limits limits_;
  const std::shared_ptr<Handler> handler_;
  std::string date_;
  WaitingList waiting_;
};

}  // namespace mlos::api::http::wire
