// SPDX-License-Identifier: MIT
#pragma once

#include <atomic>
#include <functional>
#include <memory>
#include <span>
#include <vector>

#include "api/ipc/server_options.h"
#include "metrics/counts.h"
#include "resource/byte_budget.h"
#include "runtime/runtime.h"

namespace mlos::api::ipc {

struct Operation;

/// What every request works with: the runtime, and the threads for what takes long. Thread-safe.
class Service {
 public:
  /// `operations` and `runtime` must outlive it.
  Service(ServerOptions options, std::span<const Operation> operations, runtime::Runtime& runtime);
  Service(const Service&) = delete;
  Service& operator=(const Service&) = delete;
  ~Service();

  const ServerOptions& options() const { return options_; }
  runtime::Runtime& runtime() { return runtime_; }
  resource::ByteBudget& budget() { return runtime_.budget(); }
  /// What requests of one of its operations are counted in.
  metrics::RouteCounts& counts(const Operation& operation) const;
  /// Rings that are served.
  std::atomic<unsigned>& rings() { return rings_; }

  /// Runs `task` on a thread that may be kept for seconds: loads, large copies. Once joined, here.
  void Post(std::function<void()> task);
  /// Ends these threads when they have done what was posted.
  void Join();

 private:
  class Threads;
  const ServerOptions options_;
  runtime::Runtime& runtime_;
  const std::span<const Operation> operations_;
  const std::vector<metrics::RouteCounts*> counts_;  // in the order of the operations
  std::atomic<unsigned> rings_{0};
  std::atomic<bool> joined_{false};
  const std::unique_ptr<Threads> threads_;
};

}  // namespace mlos::api::ipc
