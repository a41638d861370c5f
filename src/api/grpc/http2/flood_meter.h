// SPDX-License-Identifier: MIT
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>

#include "base/clock.h"

namespace mlos::api::grpc::http2 {

/// Weighs the bytes of one connection that bring the server nothing against those that do, in
/// windows of ten seconds: what HTTP/2's known floods have in common is their proportion
/// (CVE-2019-9512 and following, CVE-2023-44487, CVE-2024-27316, CVE-2025-8671). Every byte counts
/// that comes in, whatever frame it belongs to, known or not, except those that turn out to be of
/// use. So nothing is free that has not been thought of.
///
/// Honest clients stay far below: gRPC's own send about one PING and two WINDOW_UPDATEs for each
/// message, 43 bytes. Thread-compatible.
class FloodMeter {
 public:
  /// `bytes` have come, of which some may have been taken or forgiven before this is called.
  void CountReceived(std::size_t bytes) {
    overhead_ = std::max<std::int64_t>(0, overhead_ + static_cast<std::int64_t>(bytes));
  }
  /// `bytes` of a request's messages were taken.
  void CountTaken(std::size_t bytes) {
    Forgive(bytes);
    earned_ += Earned(bytes);
  }
  /// `bytes` of a reply were sent.
  void CountSent(std::size_t bytes) { earned_ += Earned(bytes); }
  /// `bytes` that come are of use, or nobody's fault.
  void Forgive(std::size_t bytes) { overhead_ -= static_cast<std::int64_t>(bytes); }
  /// A stream was answered in full.
  void CountAnswered() { earned_ += kAnsweredBytes; }
  /// A stream ended early, whoever reset it, whose header block of `header_bytes` was forgiven.
  void CountReset(std::size_t header_bytes) {
    overhead_ += kResetBytes + static_cast<std::int64_t>(std::min(header_bytes, kHeaderBytesMax));
  }
  bool flooded() const { return overhead_ > kFreeBytes + earned_; }
  /// Begins a new window where the old one is over.
  void OnTick(SteadyClock::time_point now);

  /// What a window may have for nothing: 7,710 PINGs, or about 600 resets.
  static constexpr std::int64_t kFreeBytes = 128 << 10;
  /// What the work for a stream that ended early is worth.
  static constexpr std::int64_t kResetBytes = 128;
  static constexpr std::size_t kHeaderBytesMax = 512;
  /// Enough that every call may be followed by one that is cancelled.
  static constexpr std::int64_t kAnsweredBytes = 1024;

 private:
  /// Small messages need more frames for their bytes; large ones may not buy a flood.
  static std::int64_t Earned(std::size_t bytes) {
    return static_cast<std::int64_t>(std::min<std::size_t>(8 * bytes, 512));
  }

  SteadyClock::time_point window_end_ = SteadyClock::time_point::min();
  std::int64_t overhead_ = 0;
  std::int64_t earned_ = 0;
};

}  // namespace mlos::api::grpc::http2
