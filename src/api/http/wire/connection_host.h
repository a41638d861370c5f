// SPDX-License-Identifier: MIT
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <utility>

#include "api/http/wire/handler.h"
#include "api/http/wire/limits.h"
#include "base/clock.h"

namespace mlos::api::http::wire {

class Connection;

/// The event loop as its connections see it. Deliver, Wake and RunsHere may be called from any
/// thread, the rest from the loop's own.
class ConnectionHost {
 public:
  ConnectionHost(const Limits& limits, std::shared_ptr<Handler> handler)
      : limits_(limits), handler_(std::move(handler)) {}
  ConnectionHost(const ConnectionHost&) = delete;
  ConnectionHost& operator=(const ConnectionHost&) = delete;
  virtual ~ConnectionHost() = default;

  virtual bool RunsHere() = 0;
  /// Has `connection` send the reply to request `number`, on the loop's thread and soon; never once
  /// the loop has ended.
  virtual void Deliver(std::shared_ptr<Connection> connection, std::uint64_t number,
                       Reply reply) = 0;
  /// Has `connection` look at the stream of the reply to request `number`, in the same way.
  virtual void Wake(std::shared_ptr<Connection> connection, std::uint64_t number) = 0;

  /// Between these two the connection may be closed to make room for others.
  virtual void EnterWaiting(Connection& connection) = 0;
  virtual void LeaveWaiting(Connection& connection) = 0;
  /// The connection is closed.
  virtual void Remove(Connection& connection) = 0;

  Handler& handler() const { return *handler_; }
  const Limits& limits() const { return limits_; }
  /// The time of the last tick; a quarter of a second old at most.
  SteadyClock::time_point now() const { return now_; }
  /// The value of the header Date.
  const std::string& date() const { return date_; }
  /// True where connections come in at several addresses.
  bool listens_on_any() const { return listens_on_any_; }

  /// Where bytes that nobody wants are read to.
  static constexpr std::size_t kScratchBytes = 16 << 10;
  char* scratch() { return scratch_; }

 protected:
  void set_time(SteadyClock::time_point now) { now_ = now; }
  void set_date(std::string date) { date_ = std::move(date); }
  void set_listens_on_any(bool any) { listens_on_any_ = any; }

 private:
  const Limits limits_;
  const std::shared_ptr<Handler> handler_;
  SteadyClock::time_point now_;
  std::string date_;
  bool listens_on_any_ = false;
  char scratch_[kScratchBytes];
};

}  // namespace mlos::api::http::wire
