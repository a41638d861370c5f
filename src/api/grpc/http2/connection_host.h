// SPDX-License-Identifier: MIT
#pragma once

#include <functional>
#include <memory>
#include <utility>

#include "api/grpc/http2/limits.h"
#include "api/grpc/http2/stream.h"
#include "base/clock.h"

namespace mlos::api::grpc::http2 {

class Connection;

/// The event loop as its connections see it. Post and RunsHere may be called from any thread, the
/// rest from the loop's own.
class ConnectionHost {
 public:
  ConnectionHost(const Limits& limits, std::shared_ptr<Acceptor> acceptor)
      : limits_(limits), acceptor_(std::move(acceptor)) {}
  ConnectionHost(const ConnectionHost&) = delete;
  ConnectionHost& operator=(const ConnectionHost&) = delete;
  virtual ~ConnectionHost() = default;

  /// Runs `task` on the loop's thread, soon; never once the loop is finished.
  virtual void Post(std::function<void()> task) = 0;
  virtual bool RunsHere() = 0;
  /// The connection is closed.
  virtual void Remove(Connection& connection) = 0;

  Acceptor& acceptor() { return *acceptor_; }
  const Limits& limits() const { return limits_; }
  /// The time of the last tick; a quarter of a second old at most.
  SteadyClock::time_point now() const { return now_; }

 protected:
  void set_time(SteadyClock::time_point now) { now_ = now; }

 private:
  const Limits limits_;
  const std::shared_ptr<Acceptor> acceptor_;
  SteadyClock::time_point now_ = SteadyClock::now();
};

}  // namespace mlos::api::grpc::http2
