// SPDX-License-Identifier: MIT
#include "api/door/bounds.h"

#include <algorithm>

namespace mlos::api::door {
namespace {

using std::chrono::microseconds;

// Nobody waits longer, and no sum of a time and this one overflows.
constexpr microseconds kEver = std::chrono::hours(24 * 365);

template <typename Unit>
Timeout Clamped(std::uint64_t count) {
  const auto ever = static_cast<std::uint64_t>(std::chrono::duration_cast<Unit>(kEver).count());
  return Unit(static_cast<std::int64_t>(std::min(count, ever)));
}

}  // namespace

Timeout Milliseconds(std::uint64_t count) { return Clamped<std::chrono::milliseconds>(count); }
Timeout Microseconds(std::uint64_t count) { return Clamped<microseconds>(count); }

Timeout UnlessZero(std::int64_t microseconds) {
  return microseconds <= 0 ? Timeout() : Microseconds(static_cast<std::uint64_t>(microseconds));
}

Bounds::Bounds(std::int64_t timeout_ms_max)
    : limit_(timeout_ms_max == 0 ? std::nullopt
                                 : Milliseconds(static_cast<std::uint64_t>(timeout_ms_max))) {}

Deadline Bounds::From(SteadyClock::time_point start, Timeout asked) const {
  return std::min(After(start, limit_), After(start, asked));
}

Deadline Bounds::After(SteadyClock::time_point start, Timeout timeout) {
  return !timeout || *timeout >= kEver ? kNoDeadline : start + *timeout;
}

}  // namespace mlos::api::door
