// SPDX-License-Identifier: MIT
#pragma once

#include <algorithm>
#include <memory>
#include <thread>
#include <utility>
#include <vector>

#include "base/clock.h"
#include "base/mutex.h"
#include "base/result.h"
#include "net/sockets.h"
#include "net/tls/server.h"

namespace mlos::net {

/// One thread's share of a door: its listening socket and its connections. Drain, Stop and Finish
/// may be called from any thread.
class Loop {
 public:
  Loop() = default;
  Loop(const Loop&) = delete;
  Loop& operator=(const Loop&) = delete;
  virtual ~Loop() = default;

  /// Serves until the last connection of a drained loop is closed, or Stop.
  virtual void Run() = 0;
  /// Takes the connections that the kernel has accepted, stops listening, and lets requests in
  /// progress end.
  virtual void Drain() = 0;
  /// Makes Run return at once and drops requests in progress.
  virtual void Stop() = 0;
  /// After Run has returned: releases the resources of the connections. Later posts are dropped.
  virtual void Finish() = 0;
};

/// The listening side of a door: a loop and a listening socket of its own for each thread, among
/// which the kernel shares out connections (SO_REUSEPORT). Thread-safe.
class Listener {
 public:
  /// Serves on one thread for each socket with an `EventLoop` made for it; each has its share of
  /// the connections that `limits` allow. With `tls`, connections are encrypted. IO_ERROR.
  template <typename EventLoop, typename Limits, typename Handler>
  static Result<std::unique_ptr<Listener>> Start(
      ListeningSockets sockets, Limits limits, const std::shared_ptr<Handler>& handler,
      const std::shared_ptr<tls::Server>& tls = nullptr) {
    const auto threads = static_cast<unsigned>(sockets.fds.size());
    limits.connections_max = std::max(1U, limits.connections_max / threads);
    limits.connections_per_peer_max = std::max(1U, limits.connections_per_peer_max / threads);
    std::vector<std::shared_ptr<Loop>> loops;
    for (UniqueFd& fd : sockets.fds) {
      const auto loop = std::make_shared<EventLoop>(limits, handler, tls);
      MLOS_TRY(loop->Listen(std::move(fd)));
      loops.push_back(loop);
    }
    return std::make_unique<Listener>(std::move(loops), sockets.port);
  }
  /// Serves on one thread for each loop, of which the first ones listen on `port`.
  Listener(std::vector<std::shared_ptr<Loop>> loops, std::uint16_t port);
  Listener(const Listener&) = delete;
  Listener& operator=(const Listener&) = delete;
  /// Closes what is still open.
  ~Listener();

  /// The port it listens on, also if port 0 was asked for.
  std::uint16_t port() const { return port_; }

  /// Stops accepting, lets what was accepted or sent before be answered, closes the connections and
  /// joins the threads. False if `deadline` came first and requests were cut off. Later calls do
  /// nothing.
  bool Shutdown(Deadline deadline);

 private:
  void Serve(Loop& loop);
  bool AwaitEnd(Deadline deadline);

  const std::uint16_t port_;
  std::vector<std::shared_ptr<Loop>> loops_;
  std::vector<std::thread> threads_;

  Mutex mutex_;
  CondVar ended_;
  std::size_t running_ GUARDED_BY(mutex_) = 0;
};

}  // namespace mlos::net
