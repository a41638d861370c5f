// SPDX-License-Identifier: MIT
#pragma once

#include <atomic>
#include <boost/asio/post.hpp>
#include <boost/asio/thread_pool.hpp>
#include <cstdint>
#include <optional>
#include <utility>

#include "api/http/call/options.h"
#include "api/http/call/route.h"
#include "resource/byte_budget.h"
#include "runtime/runtime.h"

namespace mlos::api::http::call {

/// What every call works with: the runtime, the budget, and the threads that must not be the
/// connections' own. Thread-safe.
class Service {
 public:
  /// `runtime` must outlive it; `port` is the one the server listens on.
  Service(Options options, runtime::Runtime& runtime, std::uint16_t port);
  Service(const Service&) = delete;
  Service& operator=(const Service&) = delete;
  ~Service() { Join(); }

  /// Ends its threads when they have done what was posted. What is posted later runs at once.
  void Join();

  const Options& options() const { return options_; }
  runtime::Runtime& runtime() { return runtime_; }
  /// What bodies, tensors and replies are counted against.
  resource::ByteBudget& budget() { return runtime_.budget(); }
  std::uint16_t port() const { return port_; }

  /// Counts a thread that waits for a slow reader while it lives.
  class Wait {
   public:
    explicit Wait(Service& service) : service_(&service) {}
    Wait(Wait&& other) noexcept : service_(std::exchange(other.service_, nullptr)) {}
    Wait& operator=(Wait&&) = delete;
    ~Wait() {
      if (service_ != nullptr) --service_->waits_;
    }

   private:
    Service* service_;
  };
  /// Nothing where as many threads as may wait for readers already.
  std::optional<Wait> TryWaitForReader();

  /// Runs `task` on a thread of `place`, which is not kEventThread.
  template <typename Task>
  void Post(Place place, Task task) {
    if (joined_) return task();
    boost::asio::post(place == Place::kManager ? managers_ : workers_, std::move(task));
  }

 private:
  const Options options_;
  runtime::Runtime& runtime_;
  const std::uint16_t port_;
  std::atomic<bool> joined_ = false;
  std::atomic<unsigned> waits_ = 0;
  boost::asio::thread_pool workers_;
  boost::asio::thread_pool managers_;
};

}  // namespace mlos::api::http::call
