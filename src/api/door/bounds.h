// SPDX-License-Identifier: MIT
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>

#include "base/clock.h"

namespace mlos::api::door {

/// How long a caller wants to wait; nothing if it did not say.
using Timeout = std::optional<std::chrono::microseconds>;

/// A timeout of so many milliseconds or microseconds, however many.
Timeout Milliseconds(std::uint64_t count);
Timeout Microseconds(std::uint64_t count);
/// The same for protocols in which 0 microseconds are no timeout, as less is.
Timeout UnlessZero(std::int64_t microseconds);

/// From timeouts to deadlines, for all doors.
class Bounds {
 public:
  /// What callers may ask for at most, and what those get who do not ask; 0: no limit.
  explicit Bounds(std::int64_t timeout_ms_max);

  /// When a request that came at `start` is to be answered.
  Deadline From(SteadyClock::time_point start, Timeout asked) const;

  /// When a caller's `timeout` is over that no limit is set to.
  static Deadline After(SteadyClock::time_point start, Timeout timeout);

 private:
  const Timeout limit_;
};

}  // namespace mlos::api::door
