// SPDX-License-Identifier: MIT
#pragma once

#include <atomic>
#include <boost/asio/post.hpp>
#include <boost/asio/thread_pool.hpp>
#include <cstdint>
#include <utility>

#include "api/grpc/call/options.h"
#include "resource/byte_budget.h"
#include "runtime/runtime.h"

namespace mlos::api::grpc::call {

/// The threads a call is handled on.
enum class Place : std::uint8_t {
  kEventThread,  ///< microseconds; small messages only
  kWorker,       ///< milliseconds
  kManager,      ///< loads models, writes files
};

/// What every call works with: the runtime, the budget, and the threads that must not be the
/// connections' own. Thread-safe.
class Service {
 public:
  /// `runtime` must outlive it.
  Service(Options options, runtime::Runtime& runtime);
  Service(const Service&) = delete;
  Service& operator=(const Service&) = delete;
  ~Service() { Join(); }

  /// Ends its threads when they have done what was posted. What is posted later runs at once.
  void Join();

  const Options& options() const { return options_; }
  runtime::Runtime& runtime() { return runtime_; }
  /// What messages and tensors are counted against.
  resource::ByteBudget& budget() { return runtime_.budget(); }

  /// Runs `task` on a thread of `place`; here where that is the event thread.
  template <typename Task>
  void Post(Place place, Task task) {
    if (joined_ || place == Place::kEventThread) return task();
    boost::asio::post(place == Place::kManager ? managers_ : workers_, std::move(task));
  }

 private:
  const Options options_;
  runtime::Runtime& runtime_;
  std::atomic<bool> joined_ = false;
  boost::asio::thread_pool workers_;
  boost::asio::thread_pool managers_;
};

}  // namespace mlos::api::grpc::call
