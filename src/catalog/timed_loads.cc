// SPDX-License-Identifier: MIT
#include "catalog/timed_loads.h"

#include <string>
#include <system_error>
#include <thread>
#include <utility>

#include "base/log.h"

namespace mlos::catalog {

TimedLoads::~TimedLoads() {
  const MutexLock lock(mutex_);
  while (running_ > 0) changed_.Wait(mutex_);
}

TimedLoads::Outcome TimedLoads::Run(std::function<Outcome()> load, Deadline deadline) {
  const auto shared = std::make_shared<Load>();
  const MutexLock lock(mutex_);
  if (overdue_ >= kOverdueMax) {
    return Status(Reason::kOverloaded, std::to_string(overdue_) +
                                           " loads that are over their time have not ended; try "
                                           "again later");
  }
  try {
    std::thread([this, shared, load = std::move(load)]() mutable {
      Outcome outcome = load();
      // What it holds may be the last of its kind.
      load = nullptr;
      Finish(*shared, std::move(outcome));
    }).detach();
  } catch (const std::system_error&) {
    return Status(Reason::kOverloaded, "no thread can be started to load the model");
  }
  ++running_;
  while (!shared->outcome.has_value()) {
    if (!changed_.WaitUntil(mutex_, deadline) && !shared->outcome.has_value()) {
      shared->overdue = true;
      ++overdue_;
      return Status(Reason::kDeadlineExceeded,
                    "the time is over in which the model had to be loaded");
    }
  }
  return *std::move(shared->outcome);
}

void TimedLoads::Finish(Load& load, Outcome outcome) {
  const MutexLock lock(mutex_);
  if (load.overdue) {
    mutex_.unlock();
    Log(LogLevel::kWarning, "a load that was over its time has ended",
        {LogField(outcome.status())});
    outcome = Status(Reason::kDeadlineExceeded, "nobody waits for the model any more");
    mutex_.lock();
    --overdue_;
  } else {
    load.outcome = std::move(outcome);
  }
  --running_;
  changed_.NotifyAll();
}

std::uint32_t TimedLoads::overdue() {
  const MutexLock lock(mutex_);
  return overdue_;
}

}  // namespace mlos::catalog
