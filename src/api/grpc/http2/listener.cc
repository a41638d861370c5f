// SPDX-License-Identifier: MIT
#include "api/grpc/http2/listener.h"

#include <algorithm>
#include <utility>

namespace mlos::api::grpc::http2 {
namespace {

// A loop's share of the server's connections.
Limits Share(const Limits& limits, unsigned threads) {
  Limits share = limits;
  share.connections_max = std::max(1U, limits.connections_max / threads);
  share.connections_per_peer_max = std::max(1U, limits.connections_per_peer_max / threads);
  return share;
}

}  // namespace

Result<std::unique_ptr<Listener>> Listener::Start(net::ListeningSockets sockets,
                                                  const Limits& limits,
                                                  const std::shared_ptr<Acceptor>& acceptor) {
  const Limits share = Share(limits, static_cast<unsigned>(sockets.fds.size()));
  std::unique_ptr<Listener> listener(new Listener());
  for (UniqueFd& fd : sockets.fds) {
    listener->loops_.push_back(MLOS_TRY(EventLoop::Create(std::move(fd), share, acceptor)));
  }
  {
    const MutexLock lock(listener->mutex_);
    listener->running_ = listener->loops_.size();
  }
  for (const auto& loop : listener->loops_) {
    listener->threads_.emplace_back([&listener = *listener, loop] { listener.Serve(*loop); });
  }
  return listener;
}

Listener::~Listener() { Shutdown(SteadyClock::now()); }

void Listener::Serve(EventLoop& loop) {
  loop.Run();
  const MutexLock lock(mutex_);
  --running_;
  ended_.NotifyAll();
}

bool Listener::Shutdown(Deadline deadline) {
  for (const auto& loop : loops_) loop->Drain();
  const bool clean = AwaitEnd(deadline);
  for (const auto& loop : loops_) loop->Stop();
  for (std::thread& thread : threads_) thread.join();
  for (const auto& loop : loops_) loop->Finish();
  threads_.clear();
  loops_.clear();
  return clean;
}

bool Listener::AwaitEnd(Deadline deadline) {
  const MutexLock lock(mutex_);
  while (running_ != 0) {
    if (deadline == kNoDeadline) {
      ended_.Wait(mutex_);
    } else if (!ended_.WaitUntil(mutex_, deadline)) {
      return running_ == 0;
    }
  }
  return true;
}

}  // namespace mlos::api::grpc::http2
