// SPDX-License-Identifier: MIT
#pragma once

#include <chrono>
#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "api/door/bounds.h"
#include "api/door/operation.h"
#include "api/door/workers.h"
#include "base/result.h"
#include "resource/accounts.h"
#include "runtime/runtime.h"

namespace mlos::api::door {

struct LobbyOptions {
  /// The most a caller may ask for, and what others get; 0: none.
  std::int64_t request_timeout_ms_max = 600'000;
  /// How long those wait for a model that is being loaded who did not ask for a time.
  std::int64_t load_wait_ms = 30'000;
  /// What health tells: the version of Core and the doors that are open ("http", "grpc", "ipc").
  std::string version;
  std::vector<std::string> doors;
};

/// What every door leads to: the runtime, the threads that are no connection's own, and what holds
/// for every request. Thread-safe.
class Lobby {
 public:
  /// `runtime` must outlive it.
  Lobby(LobbyOptions options, runtime::Runtime& runtime)
      : options_(std::move(options)), bounds_(options_.request_timeout_ms_max), runtime_(runtime) {}

  runtime::Runtime& runtime() { return runtime_; }
  /// What messages, tensors and replies of each caller are counted against.
  resource::Accounts& accounts() { return runtime_.accounts(); }
  Workers& workers() { return workers_; }
  const Bounds& bounds() const { return bounds_; }
  std::chrono::milliseconds load_wait() const {
    return std::chrono::milliseconds(options_.load_wait_ms);
  }
  /// What a caller wants, as far as it is known before its message is read.
  struct Visit {
    runtime::Caller caller;
    Operation operation;
    std::string_view model;  ///< empty: it stands in the message, or there is none
    Deadline deadline = kNoDeadline;
    bool large = false;  ///< reading its message takes longer than others should wait
  };
  /// Runs `task` once, with OK on a thread of the operation's executor, or with the reason why the
  /// caller may not, or why no thread is free in time (see Workers::Run).
  template <typename Task>
  void Run(const Visit& visit, Task task) {
    Status allowed = Authorize(visit.caller, visit.operation, visit.model);
    Executor executor = RowOf(visit.operation).executor;
    if (executor == Executor::kEventThread && visit.large) executor = Executor::kWorker;
    if (executor == Executor::kEventThread || !allowed.ok()) return task(std::move(allowed));
    workers_.Run(executor, visit.deadline, std::move(task));
  }
  /// Lets `caller` in to the model `model_id` for one inference: see Runtime::Admit.
  Result<runtime::Ticket> Admit(const runtime::Caller& caller, std::string_view model_id);

  const std::string& version() const { return options_.version; }
  const std::vector<std::string>& doors() const { return options_.doors; }

 private:
  /// Whether `caller` may do `operation`, to `model` if that is not empty.
  static Status Authorize(const runtime::Caller& caller, Operation operation,
                          std::string_view model);

  const LobbyOptions options_;
  const Bounds bounds_;
  runtime::Runtime& runtime_;
  Workers workers_;
};

}  // namespace mlos::api::door
