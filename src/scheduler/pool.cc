// SPDX-License-Identifier: MIT
#include "scheduler/pool.h"

#include <utility>

namespace mlos::scheduler {

void Pool::Add(std::function<void(Thread self)> body) {
  // They are past everything but their end.
  for (std::thread& thread : ended_) thread.join();
  ended_.clear();
  ++alive_;
  const Thread self = threads_.emplace(threads_.end());
  *self = std::thread([body = std::move(body), self] { body(self); });
}

void Pool::End(Thread self) {
  --alive_;
  ended_.splice(ended_.end(), threads_, self);
}

void Pool::Wait(Mutex& mutex) {
  ++idle_;
  work_.Wait(mutex);
  --idle_;
}

std::list<std::thread> Pool::TakeEnded() { return std::exchange(ended_, {}); }

}  // namespace mlos::scheduler
