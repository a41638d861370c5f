// SPDX-License-Identifier: MIT
#pragma once

#include <chrono>
#include <optional>
#include <random>
#include <string_view>

namespace axon::fetch {

/// Decides when to try again and when to give up. The wait doubles after each failure, with jitter
/// so that many clients do not return together. A longer Retry-After of the server wins.
/// Thread-compatible.
class Backoff {
 public:
  static constexpr std::chrono::milliseconds kFirst{250};
  static constexpr std::chrono::milliseconds kLongest{20'000};
  /// A longer Retry-After ends the tries.
  static constexpr std::chrono::seconds kRetryAfterMax{120};

  explicit Backoff(int retries_max) : retries_max_(retries_max) {}

  /// How long to wait before the next try; absent if this was the last. `retry_after` is the
  /// header's value, empty if there is none.
  std::optional<std::chrono::milliseconds> Next(std::string_view retry_after);

  /// Reports real progress: earlier failures no longer count.
  void Reset() { retries_ = 0; }

  int retries() const { return retries_; }

 private:
  int retries_max_;
  int retries_ = 0;
  std::minstd_rand random_{std::random_device{}()};
};

/// Seconds of a Retry-After header, given as a number or as an HTTP date (RFC 9110, 10.2.3).
std::optional<std::chrono::seconds> ParseRetryAfter(std::string_view value);

}  // namespace axon::fetch
