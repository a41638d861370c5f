// SPDX-License-Identifier: MIT
#pragma once

#include <chrono>
#include <cstdint>

#include "base/clock.h"

namespace mlos::net {

inline Deadline MillisecondsAfter(SteadyClock::time_point start, std::int64_t milliseconds) {
  return start + std::chrono::milliseconds(milliseconds);
}

/// The time by which a peer has to get on. It holds for kBytes, then starts anew: slow networks may
/// carry large tensors, and a byte a second is still cut off. Thread-compatible.
class ProgressDeadline {
 public:
  static constexpr std::uint64_t kBytes = 64 << 10;

  /// Starts anew; `bytes` have moved in all.
  void Start(SteadyClock::time_point now, std::int64_t timeout_ms, std::uint64_t bytes = 0) {
    deadline_ = MillisecondsAfter(now, timeout_ms);
    mark_ = bytes;
  }
  /// More has to move: starts if it is stopped, and anew if kBytes have moved since the start.
  void Watch(SteadyClock::time_point now, std::int64_t timeout_ms, std::uint64_t bytes) {
    if (deadline_ == kNoDeadline || bytes - mark_ >= kBytes) Start(now, timeout_ms, bytes);
  }
  void Stop() { deadline_ = kNoDeadline; }
  bool passed(SteadyClock::time_point now) const { return now >= deadline_; }

 private:
  Deadline deadline_ = kNoDeadline;
  std::uint64_t mark_ = 0;  ///< bytes that had moved at the start
};

}  // namespace mlos::net
