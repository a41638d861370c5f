// SPDX-License-Identifier: MIT
#pragma once

#include <atomic>

namespace mlos::engine {

/// Says that nobody waits for an answer any more: set by the door whose caller went away, looked at
/// by whoever is about to work for it. Shared by both; thread-safe.
class Cancellation {
 public:
  Cancellation() = default;
  Cancellation(const Cancellation&) = delete;
  Cancellation& operator=(const Cancellation&) = delete;

  void Cancel() { cancelled_.store(true, std::memory_order_release); }
  bool cancelled() const { return cancelled_.load(std::memory_order_acquire); }

 private:
  std::atomic<bool> cancelled_{false};
};

}  // namespace mlos::engine
