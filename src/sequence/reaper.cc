// SPDX-License-Identifier: MIT
#include "sequence/reaper.h"

#include <algorithm>

namespace mlos::sequence {

Reaper::Reaper(std::chrono::milliseconds idle_timeout)
    : idle_timeout_(idle_timeout), thread_([this] { Run(); }) {}

Reaper::~Reaper() {
  {
    const MutexLock lock(mutex_);
    stopping_ = true;
  }
  changed_.NotifyAll();
  thread_.join();
}

void Reaper::Watch(Reapable& reapable) {
  const MutexLock lock(mutex_);
  watched_.insert(&reapable);
}

void Reaper::Forget(Reapable& reapable) {
  const MutexLock lock(mutex_);
  watched_.erase(&reapable);
}

void Reaper::Enter() {
  if (count_.fetch_add(1, std::memory_order_relaxed) != 0) return;
  // The lock makes sure that the thread is either before its look at the count or waiting.
  const MutexLock lock(mutex_);
  changed_.NotifyAll();
}

void Reaper::Run() {
  const MutexLock lock(mutex_);
  while (!stopping_) {
    if (count() == 0) {
      changed_.Wait(mutex_);
    } else {
      changed_.WaitUntil(mutex_, Sweep(SteadyClock::now()));
    }
  }
}

// One that becomes idle meanwhile is not due before a whole timeout has passed.
SteadyClock::time_point Reaper::Sweep(SteadyClock::time_point now) {
  SteadyClock::time_point oldest = now;
  for (Reapable* reapable : watched_) {
    oldest = std::min(oldest, reapable->EndIdle(now - idle_timeout_));
  }
  return oldest + idle_timeout_;
}

}  // namespace mlos::sequence
