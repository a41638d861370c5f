// SPDX-License-Identifier: MIT
#pragma once

#include <chrono>
#include <cstdint>

#include "base/clock.h"
#include "base/threads.h"

namespace mlos::api::ipc::socket {

inline std::int64_t NanosecondsSince(SteadyClock::time_point start) {
  return std::chrono::duration_cast<std::chrono::nanoseconds>(SteadyClock::now() - start).count();
}

/// The longest that polling pays: about what it takes to wake a thread on another core. With one
/// core, nobody could send what is polled for.
inline std::int64_t SpinLimitNs() { return CoreCount() > 1 ? 100'000 : 0; }

/// How long a thread polls for the next request before it sleeps: waking it takes longer than most
/// requests. Polls only while that pays, so that an idle client costs nothing, and one that shares
/// the thread's core (and can send nothing while it is polled for) next to nothing.
/// Thread-compatible.
class SpinPolicy {
 public:
  /// `limit_ns` 0: never polls.
  explicit SpinPolicy(std::int64_t limit_ns) : limit_ns_(limit_ns) {}

  /// How long to poll now.
  std::int64_t budget_ns() const { return spinning_ ? limit_ns_ : 0; }
  /// A request came while polling. It makes up for one miss: a thread that loses its core while it
  /// polls can find a request as well.
  void Hit() {
    if (misses_ > 0) --misses_;
  }
  /// Polled in vain.
  void Miss() {
    spinning_ = false;
    if (misses_ < kMissesMax) ++misses_;
    skip_ = 1U << misses_;
  }
  /// A request came after the thread had slept for so long.
  void Slept(std::int64_t slept_ns) {
    // Being woken is part of the time, and longer than the limit.
    if (slept_ns > kWakeNs + limit_ns_) return;
    if (skip_ > 0) {
      --skip_;
    } else {
      spinning_ = limit_ns_ > 0;
    }
  }

 private:
  static constexpr std::int64_t kWakeNs = 200'000;
  static constexpr unsigned kMissesMax = 10;

  const std::int64_t limit_ns_;
  bool spinning_ = false;
  unsigned misses_ = 0;
  unsigned skip_ = 0;
};

}  // namespace mlos::api::ipc::socket
