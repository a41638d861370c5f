// SPDX-License-Identifier: MIT
#pragma once

#include <algorithm>
#include <array>
#include <atomic>
#include <bit>
#include <cstddef>
#include <cstdint>

namespace mlos::scheduler {

/// How long a run of one model takes. Large requests take longer than small ones, so each power of
/// two of input bytes is known by itself. Runs of one model may overlap. Thread-safe.
class RunTimes {
 public:
  /// Exponential moving average over the last runs with about so many bytes of input, an eighth for
  /// the newest; 0 before the first.
  std::int64_t Expected(std::uint64_t input_bytes) const {
    return sizes_[SizeClass(input_bytes)].run_time_us.load(std::memory_order_relaxed);
  }
  void Record(std::int64_t run_time_us, std::uint64_t input_bytes) {
    Size& size = sizes_[SizeClass(input_bytes)];
    const std::int64_t counted = WithoutPreemption(size, run_time_us);
    const std::int64_t old = size.run_time_us.load(std::memory_order_relaxed);
    // A lost update between two threads changes an average by one sample: not worth a loop. Never 0
    // again: that means unknown.
    const std::int64_t average = old == 0 ? counted : old + (counted - old) / kWeight;
    size.run_time_us.store(average > 0 ? average : 1, std::memory_order_relaxed);
  }

 private:
  static constexpr std::int64_t kWeight = 8;
  static constexpr std::int64_t kPreemptionUsMax = 10'000;
  // Everything from 1 GiB on is one class.
  static constexpr std::size_t kSizes = 32;

  struct Size {
    std::atomic<std::int64_t> last_run_time_us{0};
    std::atomic<std::int64_t> run_time_us{0};
  };

  static std::size_t SizeClass(std::uint64_t input_bytes) {
    return std::min(static_cast<std::size_t>(std::bit_width(input_bytes)), kSizes - 1);
  }

  // A lone longer run is a thread that lost its core for a while, not a slow model: of two runs of
  // one size in a row the shorter one counts.
  static std::int64_t WithoutPreemption(Size& size, std::int64_t run_time_us) {
    const std::int64_t before = size.last_run_time_us.load(std::memory_order_relaxed);
    size.last_run_time_us.store(run_time_us, std::memory_order_relaxed);
    const bool lone = before != 0 && before < run_time_us && run_time_us <= kPreemptionUsMax;
    return lone ? before : run_time_us;
  }

  std::array<Size, kSizes> sizes_;
};

}  // namespace mlos::scheduler
