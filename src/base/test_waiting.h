// SPDX-License-Identifier: MIT
// Waiting in tests for what another thread does in a moment, instead of for a fixed time.
#pragma once

#include <chrono>
#include <thread>

namespace mlos {

/// Looks until `holds()`, which is read on this thread, for 20 s at most; false if it never held.
template <typename Condition>
[[nodiscard]] bool Eventually(Condition holds) {
  const auto end = std::chrono::steady_clock::now() + std::chrono::seconds(20);
  while (!holds()) {
    if (std::chrono::steady_clock::now() >= end) return false;
    std::this_thread::sleep_for(std::chrono::milliseconds(1));
  }
  return true;
}

/// Gives `attempt` a time, `first`, then four times as much and so on up to a minute, until it is
/// true; false if it never was. For tests in which something has to happen before a time is over:
/// on a busy machine it may happen only afterwards.
template <typename Attempt>
[[nodiscard]] bool WithTimeEnough(std::chrono::milliseconds first, Attempt attempt) {
  for (std::chrono::milliseconds time = first; time <= std::chrono::minutes(1); time *= 4) {
    if (attempt(time)) return true;
  }
  return false;
}

}  // namespace mlos
