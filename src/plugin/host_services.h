// SPDX-License-Identifier: MIT
#pragma once

#include <atomic>
#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "base/mutex.h"
#include "mlos/smi_spec.h"
#include "plugin/plugin_engine.h"

namespace mlos::plugin {

/// Marks that a thread of a plugin is inside the host: what it lets go of there must not call the
/// plugin back, which may hold locks, nor wait for that very thread to end.
class InsideHost {
 public:
  InsideHost() { ++Depth(); }
  InsideHost(const InsideHost&) = delete;
  InsideHost& operator=(const InsideHost&) = delete;
  ~InsideHost() { --Depth(); }

  static bool here() { return Depth() > 0; }

 private:
  static int& Depth() {
    thread_local int depth = 0;
    return depth;
  }
};

/// What a plugin may ask of us: the smi_host_t that attach hands over, and what is behind it.
/// Thread-safe.
class HostServices {
 public:
  /// `memory_bytes_max` limits what the plugin may allocate here; 0: unlimited.
  HostServices(std::string plugin_id, std::uint64_t memory_bytes_max);
  HostServices(const HostServices&) = delete;
  HostServices& operator=(const HostServices&) = delete;

  const smi_host_t* table() const { return &table_; }
  /// Bytes that the plugin has allocated here and not given back.
  std::uint64_t allocated_bytes() const { return allocated_bytes_.load(std::memory_order_relaxed); }
  std::vector<engine::Gauge> Gauges() const;

 private:
  // The plugin passes the table back; this finds the way home from it.
  struct Table : smi_host_t {
    HostServices* services;
  };
  static HostServices& From(const smi_host_t* host) {
    return *static_cast<const Table*>(host)->services;
  }

  void WriteLog(smi_log_level_t level, const char* message) const;
  void* Allocate(std::size_t size_bytes);
  void Deallocate(void* data, std::size_t size_bytes);
  void SetMetric(const char* name, double value);

  const std::string plugin_id_;
  const std::uint64_t memory_bytes_max_;
  Table table_;
  std::atomic<std::uint64_t> allocated_bytes_{0};
  mutable Mutex mutex_;
  std::map<std::string, double, std::less<>> metrics_ GUARDED_BY(mutex_);
};

}  // namespace mlos::plugin
