// SPDX-License-Identifier: MIT
#pragma once

#include <memory>
#include <thread>
#include <vector>

#include "api/http/wire/event_loop.h"
#include "base/clock.h"
#include "base/mutex.h"
#include "net/sockets.h"

namespace mlos::api::http::wire {

/// The listening side of the server: an event loop and a listening socket of its own for each
/// thread, among which the kernel shares out connections (SO_REUSEPORT). Thread-safe.
class Listener {
 public:
  /// Serves on one thread for each socket. IO_ERROR.
  static Result<std::unique_ptr<Listener>> Start(net::ListeningSockets sockets,
                                                 const Limits& limits,
                                                 const std::shared_ptr<Handler>& handler);
  Listener(const Listener&) = delete;
  Listener& operator=(const Listener&) = delete;
  ~Listener();

  /// See Server::Shutdown.
  bool Shutdown(Deadline deadline);

 private:
  Listener() = default;
  void Serve(EventLoop& loop);
  bool AwaitEnd(Deadline deadline);

  std::vector<std::shared_ptr<EventLoop>> loops_;
  std::vector<std::thread> threads_;

  Mutex mutex_;
  CondVar ended_;
  std::size_t running_ GUARDED_BY(mutex_) = 0;
};

}  // namespace mlos::api::http::wire
