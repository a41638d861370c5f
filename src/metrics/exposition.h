// SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>
#include <initializer_list>
#include <memory>
#include <string>
#include <string_view>
#include <utility>

#include "metrics/latency_histogram.h"

namespace mlos::metrics {

/// Names and values, borrowed for the call.
using Labels = std::initializer_list<std::pair<std::string_view, std::string_view>>;

/// How many series a latency or a model has.
enum class Detail : std::uint8_t {
  kFew,  ///< at most 25 a model
  kAll,
};

/// One answer to a scrape: values are added, family by family or mixed, and written out as
/// Prometheus text by prometheus-cpp. Names are constants of the program and carry their unit
/// (https://prometheus.io/docs/practices/naming/). Thread-compatible.
class Exposition {
 public:
  Exposition();
  Exposition(const Exposition&) = delete;
  Exposition& operator=(const Exposition&) = delete;
  ~Exposition();

  void AddCounter(std::string_view name, std::string_view help, Labels labels, double value);
  void AddGauge(std::string_view name, std::string_view help, Labels labels, double value);
  /// A histogram in seconds, with bounds at powers of two from 64 µs to 67 s, or at six of them
  /// from 256 µs to 8.4 s. They are bounds of the histogram's own buckets, so that no count is
  /// interpolated.
  void AddLatency(std::string_view name, std::string_view help, Labels labels,
                  const LatencyHistogram& latency, Detail detail);

  /// Text exposition format 0.0.4.
  std::string Text() const;

 private:
  struct Families;
  std::unique_ptr<Families> families_;
};

}  // namespace mlos::metrics
