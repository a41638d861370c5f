// SPDX-License-Identifier: MIT
#include "net/listener.h"

namespace mlos::net {

Listener::Listener(std::vector<std::shared_ptr<Loop>> loops, std::uint16_t port)
    : port_(port), loops_(std::move(loops)), running_(loops_.size()) {
  for (const auto& loop : loops_) {
    threads_.emplace_back([this, loop] { Serve(*loop); });
  }
}

Listener::~Listener() { Shutdown(SteadyClock::now()); }

void Listener::Serve(Loop& loop) {
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
    if (!ended_.WaitUntil(mutex_, deadline)) return running_ == 0;
  }
  return true;
}

}  // namespace mlos::net
