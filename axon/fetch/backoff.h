// SPDX-License-Identifier: MIT
#pragma once

#include <chrono>
#include <optional>
#include <random>
#include <string_view>

namespace axon::fetch {

/// When to try again, and when to give up: twice the time after each failure, with jitter so that
/// many clients do not come back together; a server's Retry-After counts where it is longer.
/// Thread-compatible.
class Backoff {
 public:
  static constexpr std::chrono::milliseconds kFirst{250};
  static constexpr std::chrono::milliseconds kLongest{20'000};
  /// A Retry-After above this is not waited for.
  static constexpr std::chrono::seconds kRetryAfterMax{120};

  explicit Backoff(int retries_max) : retries_max_(retries_max) {}

  /// How long to wait before the next try; absent where this was the last. `retry_after` is the
  /// header's value, empty where there is none.
  std::optional<std::chrono::milliseconds> Next(std::string_view retry_after);

  /// There was real progress: the failures before it count no more.
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
