// SPDX-License-Identifier: MIT
#include "runtime/scrubber.h"

#include <utility>

#include "base/clock.h"

namespace mlos::runtime {

Scrubber::Scrubber(std::chrono::seconds interval, Check check) : check_(std::move(check)) {
  if (interval.count() > 0) thread_ = std::thread([this, interval] { Serve(interval); });
}

void Scrubber::Stop() {
  {
    const MutexLock lock(mutex_);
    stop_.store(true);
    stopped_.NotifyAll();
  }
  if (thread_.joinable()) thread_.join();
}

void Scrubber::Serve(std::chrono::seconds interval) {
  while (true) {
    {
      const MutexLock lock(mutex_);
      const SteadyClock::time_point next = SteadyClock::now() + interval;
      while (!stop_.load() && stopped_.WaitUntil(mutex_, next)) {
      }
      if (stop_.load()) return;
    }
    check_(stop_);
  }
}

}  // namespace mlos::runtime
