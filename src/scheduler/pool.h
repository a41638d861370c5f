// SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>
#include <functional>
#include <list>
#include <thread>

#include "base/mutex.h"

namespace mlos::scheduler {

/// Threads that come when there is more to do, wait for work, and go. It is guarded by the lock of
/// whoever has it, with which they wait. Thread-compatible.
class Pool {
 public:
  using Thread = std::list<std::thread>::iterator;

  /// Begins another thread, which calls `body` with itself.
  void Add(std::function<void(Thread self)> body);
  /// The last that `self` does with the lock: whoever has it then may join the thread.
  void End(Thread self);

  /// A thread has nothing to do until it is woken.
  void Wait(Mutex& mutex) REQUIRES(mutex);
  void WakeOne() { work_.NotifyOne(); }
  void WakeAll() { work_.NotifyAll(); }

  std::uint32_t alive() const { return alive_; }
  /// Of them, those that wait for work.
  std::uint32_t idle() const { return idle_; }
  /// Those that have ended and were not joined yet: for the caller to join, without the lock.
  std::list<std::thread> TakeEnded();

 private:
  std::uint32_t alive_ = 0;
  std::uint32_t idle_ = 0;
  std::list<std::thread> threads_;
  std::list<std::thread> ended_;  ///< that are about to end, or have
  CondVar work_;
};

}  // namespace mlos::scheduler
