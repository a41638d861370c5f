// SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>

#include "base/clock.h"

namespace mlos::api::grpc::http2 {

/// Counts the frames of one connection that cost the server work and bring it none, against those
/// that carry requests, in windows of ten seconds: what HTTP/2's known floods have in common is
/// their proportion (CVE-2019-9512 and following, CVE-2023-44487, CVE-2025-8671). Honest clients
/// stay far below: gRPC's own send about one PING and one WINDOW_UPDATE for each message.
/// Thread-compatible.
class FloodMeter {
 public:
  /// A request, or bytes of one, or of a reply.
  void CountUseful() { ++useful_; }
  /// A stream that was answered in full.
  void CountAnswered() { ++answered_; }
  /// A stream that ended early, whoever reset it. False where there are too many.
  bool CountReset() { return ++resets_ <= kResetsFree + answered_; }
  /// PING, SETTINGS, PRIORITY, WINDOW_UPDATE, an empty DATA frame, or one that was not understood.
  bool CountOverhead() { return ++overhead_ <= kOverheadFree + kOverheadPerUseful * useful_; }
  /// Begins a new window where the old one is over.
  void OnTick(SteadyClock::time_point now);

  static constexpr std::uint64_t kResetsFree = 500;
  static constexpr std::uint64_t kOverheadFree = 2'000;
  static constexpr std::uint64_t kOverheadPerUseful = 10;

 private:
  SteadyClock::time_point window_end_ = SteadyClock::time_point::min();
  std::uint64_t useful_ = 0;
  std::uint64_t answered_ = 0;
  std::uint64_t resets_ = 0;
  std::uint64_t overhead_ = 0;
};

}  // namespace mlos::api::grpc::http2
