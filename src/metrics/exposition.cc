// SPDX-License-Identifier: MIT
#include "metrics/exposition.h"

#include <prometheus/metric_family.h>
#include <prometheus/text_serializer.h>

#include <limits>
#include <vector>

namespace mlos::metrics {

namespace {

/// Exponents of two, in microseconds.
struct Bounds {
  unsigned first;
  unsigned last;
  unsigned step;
};

}  // namespace

struct Exposition::Families {
  /// The metric to fill in, in its family.
  prometheus::ClientMetric& Add(std::string_view name, std::string_view help,
                                prometheus::MetricType type, Labels labels) {
    prometheus::MetricFamily& family = Find(name, help, type);
    prometheus::ClientMetric& metric = family.metric.emplace_back();
    for (const auto& [label, value] : labels) {
      metric.label.push_back({std::string(label), std::string(value)});
    }
    return metric;
  }

  prometheus::MetricFamily& Find(std::string_view name, std::string_view help,
                                 prometheus::MetricType type) {
    for (prometheus::MetricFamily& family : list) {
      if (family.name == name) return family;
    }
    return list.emplace_back(
        prometheus::MetricFamily{std::string(name), std::string(help), type, {}});
  }

  std::vector<prometheus::MetricFamily> list;
};

Exposition::Exposition() : families_(std::make_unique<Families>()) {}
Exposition::~Exposition() = default;

void Exposition::AddCounter(std::string_view name, std::string_view help, Labels labels,
                            double value) {
  families_->Add(name, help, prometheus::MetricType::Counter, labels).counter.value = value;
}

void Exposition::AddGauge(std::string_view name, std::string_view help, Labels labels,
                          double value) {
  families_->Add(name, help, prometheus::MetricType::Gauge, labels).gauge.value = value;
}

void Exposition::AddLatency(std::string_view name, std::string_view help, Labels labels,
                            const LatencyHistogram& latency, Detail detail) {
  constexpr Bounds kAll{.first = 6, .last = 26, .step = 1};
  constexpr Bounds kFew{.first = 8, .last = 23, .step = 3};
  constexpr double kSecond = 1e6;
  const Bounds bounds = detail == Detail::kAll ? kAll : kFew;
  prometheus::ClientMetric::Histogram& histogram =
      families_->Add(name, help, prometheus::MetricType::Histogram, labels).histogram;
  for (unsigned exponent = bounds.first; exponent <= bounds.last; exponent += bounds.step) {
    histogram.bucket.push_back({latency.CountBelowPowerOfTwo(exponent),
                                static_cast<double>(std::uint64_t{1} << exponent) / kSecond});
  }
  // From the buckets, not from count(): both must agree while others record.
  histogram.sample_count = latency.CountBelowPowerOfTwo(std::numeric_limits<unsigned>::max());
  histogram.bucket.push_back({histogram.sample_count, std::numeric_limits<double>::infinity()});
  histogram.sample_sum = static_cast<double>(latency.sum_us()) / kSecond;
}

std::string Exposition::Text() const {
  return prometheus::TextSerializer().Serialize(families_->list);
}

}  // namespace mlos::metrics
