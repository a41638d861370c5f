// SPDX-License-Identifier: MIT
#include "plugin/host_services.h"

#include <algorithm>
#include <cstdlib>
#include <cstring>
#include <string_view>
#include <utility>

#include "base/log.h"
#include "plugin/call_error.h"
#include "plugin/execution.h"

namespace mlos::plugin {
namespace {

constexpr std::size_t kAlignment = 64;
constexpr std::size_t kLogBytesMax = 16'384;
constexpr std::size_t kMetricsMax = 64;
constexpr std::size_t kMetricNameBytesMax = 64;

std::string_view Bounded(const char* text, std::size_t size_max) {
  return text == nullptr ? std::string_view() : std::string_view(text, ::strnlen(text, size_max));
}

LogLevel LevelOf(int level) {
  switch (level) {
    case SMI_LOG_DEBUG:
      return LogLevel::kDebug;
    case SMI_LOG_INFO:
      return LogLevel::kInfo;
    case SMI_LOG_WARNING:
      return LogLevel::kWarning;
    default:
      return LogLevel::kError;
  }
}

bool IsMetricName(std::string_view name) {
  return !name.empty() && name.size() <= kMetricNameBytesMax &&
         name.find_first_not_of("abcdefghijklmnopqrstuvwxyz0123456789_") == name.npos;
}

}  // namespace

HostServices::HostServices(std::string plugin_id, std::uint64_t memory_bytes_max)
    : plugin_id_(std::move(plugin_id)), memory_bytes_max_(memory_bytes_max), table_{} {
  table_.struct_size = sizeof(smi_host_t);
  table_.smi_version = SMI_VERSION;
  table_.log = [](const smi_host_t* host, smi_log_level_t level, const char* message) {
    From(host).WriteLog(level, message);
  };
  table_.set_error = [](const smi_host_t*, const char* message) { CallError::Set(message); };
  table_.allocate = [](const smi_host_t* host, std::size_t size_bytes) {
    return From(host).Allocate(size_bytes);
  };
  table_.deallocate = [](const smi_host_t* host, void* data, std::size_t size_bytes) {
    From(host).Deallocate(data, size_bytes);
  };
  table_.set_metric = [](const smi_host_t* host, const char* name, double value) {
    From(host).SetMetric(name, value);
  };
  table_.respond = [](const smi_host_t*, smi_execution_t* execution, smi_status_t status,
                      const smi_tensor_t* outputs, std::size_t output_count, std::uint32_t flags) {
    const InsideHost inside;
    const smi_status_t how =
        execution->Respond(status, {outputs, output_count}, (flags & SMI_RESPOND_FINAL) != 0);
    // Whatever was said while the host worked is not for what this thread does next.
    CallError::Clear();
    return how;
  };
  table_.services = this;
}

void HostServices::WriteLog(smi_log_level_t level, const char* message) const {
  Log(LevelOf(level), "plugin says",
      {{"plugin", plugin_id_}, {"message", Bounded(message, kLogBytesMax)}});
}

void* HostServices::Allocate(std::size_t size_bytes) {
  const std::size_t rounded = (size_bytes / kAlignment + 1) * kAlignment;
  if (rounded <= size_bytes) return nullptr;  // wrapped around
  const std::uint64_t before = allocated_bytes_.fetch_add(size_bytes, std::memory_order_relaxed);
  const bool fits = memory_bytes_max_ == 0 ||
                    (before <= memory_bytes_max_ && size_bytes <= memory_bytes_max_ - before);
  void* data = fits ? std::aligned_alloc(kAlignment, rounded) : nullptr;
  if (data == nullptr) allocated_bytes_.fetch_sub(size_bytes, std::memory_order_relaxed);
  return data;
}

void HostServices::Deallocate(void* data, std::size_t size_bytes) {
  if (data == nullptr) return;
  std::free(data);
  allocated_bytes_.fetch_sub(size_bytes, std::memory_order_relaxed);
}

void HostServices::SetMetric(const char* name, double value) {
  const std::string_view key = Bounded(name, kMetricNameBytesMax + 1);
  if (!IsMetricName(key)) return;
  MutexLock lock(mutex_);
  if (const auto found = metrics_.find(key); found != metrics_.end()) {
    found->second = value;
  } else if (metrics_.size() < kMetricsMax) {
    metrics_.emplace(key, value);
  }
}

std::vector<engine::Gauge> HostServices::Gauges() const {
  MutexLock lock(mutex_);
  std::vector<engine::Gauge> metrics;
  metrics.reserve(metrics_.size());
  for (const auto& [name, value] : metrics_) metrics.push_back({name, value});
  return metrics;
}

}  // namespace mlos::plugin
