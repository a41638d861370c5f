// SPDX-License-Identifier: MIT
#pragma once

#include <atomic>

namespace axon::fetch {

/// Set by Ctrl-C and checked in everything that takes long. Safe to set in a signal handler.
class CancelFlag {
 public:
  void Set() { set_.store(true, std::memory_order_relaxed); }
  bool IsSet() const { return set_.load(std::memory_order_relaxed); }

 private:
  std::atomic<bool> set_{false};
  static_assert(std::atomic<bool>::is_always_lock_free);
};

}  // namespace axon::fetch
