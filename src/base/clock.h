// SPDX-License-Identifier: MIT
#pragma once

#include <chrono>
#include <cstdint>
#include <string>

namespace mlos {

using SteadyClock = std::chrono::steady_clock;

/// The time after which an answer is worthless; `kNoDeadline` never comes.
using Deadline = SteadyClock::time_point;
inline constexpr Deadline kNoDeadline = Deadline::max();

inline std::int64_t MicrosecondsBetween(SteadyClock::time_point start,
                                        SteadyClock::time_point end) {
  return std::chrono::duration_cast<std::chrono::microseconds>(end - start).count();
}

/// Seconds since the Unix epoch.
std::int64_t UnixSecondsNow();

/// "2026-01-31T12:00:00Z" for seconds since the Unix epoch (RFC 3339, UTC).
std::string Rfc3339(std::int64_t unix_seconds);

/// The kernel's name for the machine's run since it was started; empty where it has none.
std::string BootId();

}  // namespace mlos
