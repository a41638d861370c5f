// SPDX-License-Identifier: MIT
#pragma once

#include <atomic>
#include <boost/asio/post.hpp>
#include <boost/asio/thread_pool.hpp>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <utility>

#include "api/http/host_policy.h"
#include "api/http/routes.h"
#include "api/http/server.h"
#include "api/http/wire/handler.h"

namespace mlos::api::http {

/// Everything behind the wire: decides what is admitted, and has the threads that must not be the
/// connections' own. Thread-safe.
class Service : public wire::Handler, public std::enable_shared_from_this<Service> {
 public:
  /// For a server that listens at `address` and `port`. `runtime` must outlive it.
  Service(ServerOptions options, runtime::Runtime& runtime, std::string_view address,
          std::uint16_t port);
  ~Service() override { Join(); }

  /// Ends its threads when they have done what was posted. What is posted later runs at once.
  void Join();

  resource::ByteBudget& budget() override { return budget_; }
  wire::Admission Admit(const wire::RequestHead& head) override;
  wire::Reply Refuse(const Status& status) override;

  runtime::Runtime& runtime() { return runtime_; }
  const ServerOptions& options() const { return options_; }
  std::uint16_t port() const { return port_; }

  /// Runs `task` on a thread of `place`, which is not kEventThread.
  template <typename Task>
  void Post(Place place, Task task) {
    if (joined_) return task();
    boost::asio::post(place == Place::kManager ? managers_ : workers_, std::move(task));
  }

 private:
  Result<std::shared_ptr<wire::Exchange>> Accept(const wire::RequestHead& head,
                                                 const Target& target);
  Result<Deadline> RequestDeadline(const wire::RequestHead& head) const;
  wire::Admission Reject(const Status& status, std::string allow = {});

  const ServerOptions options_;
  runtime::Runtime& runtime_;
  const Router router_;
  resource::ByteBudget budget_;
  const HostPolicy hosts_;
  const std::uint16_t port_;
  std::atomic<bool> joined_ = false;
  boost::asio::thread_pool workers_;
  boost::asio::thread_pool managers_;
};

/// Every route of the server.
std::span<const Route> Routes();

}  // namespace mlos::api::http
