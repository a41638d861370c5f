// SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>
#include <deque>
#include <string>

#include "base/clock.h"

namespace axon::ui {

/// The progress of some work in bytes, with its recent speed. Thread-compatible.
class ProgressMeter {
 public:
  explicit ProgressMeter(std::uint64_t total_bytes) : total_bytes_(total_bytes) {}

  /// `done_bytes` are done at `now`; it may go back when a download starts again.
  void Update(std::uint64_t done_bytes, mlos::SteadyClock::time_point now);

  std::uint64_t done_bytes() const { return done_bytes_; }
  std::uint64_t total_bytes() const { return total_bytes_; }
  /// Over the last seconds; 0 while nothing is known.
  double bytes_per_second() const;

  /// One line of at most `width` columns: a bar, percent, bytes, speed and time left, as far as
  /// they fit.
  std::string Bar(std::size_t width) const;
  /// The same without a bar, for logs: "12.3 MiB of 90.0 MiB (13%), 4.1 MiB/s, 19s left".
  std::string Line() const;

 private:
  struct Sample {
    mlos::SteadyClock::time_point at;
    std::uint64_t done_bytes;
  };
  unsigned percent() const;
  std::string Rate() const;

  std::uint64_t total_bytes_;
  std::uint64_t done_bytes_ = 0;
  std::deque<Sample> samples_;
};

}  // namespace axon::ui
