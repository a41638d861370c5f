// SPDX-License-Identifier: MIT
#include "api/ipc/service.h"

#include <boost/asio/post.hpp>
#include <boost/asio/thread_pool.hpp>
#include <utility>

#include "api/ipc/operation.h"

namespace mlos::api::ipc {
namespace {

// Loads take seconds and use several cores each; more of them at once only wait for each other.
constexpr std::size_t kThreads = 2;

std::vector<metrics::RouteCounts*> CountsOf(std::span<const Operation> operations,
                                            metrics::Stats& stats) {
  std::vector<metrics::RouteCounts*> counts;
  for (const Operation& operation : operations) {
    counts.push_back(&stats.Route("ipc", operation.name));
  }
  return counts;
}

}  // namespace

class Service::Threads {
 public:
  boost::asio::thread_pool pool{kThreads};
};

Service::Service(ServerOptions options, std::span<const Operation> operations,
                 runtime::Runtime& runtime)
    : options_(std::move(options)),
      runtime_(runtime),
      operations_(operations),
      counts_(CountsOf(operations, runtime.stats())),
      threads_(std::make_unique<Threads>()) {}

Service::~Service() { Join(); }

metrics::RouteCounts& Service::counts(const Operation& operation) const {
  return *counts_[static_cast<std::size_t>(&operation - operations_.data())];
}

void Service::Post(std::function<void()> task) {
  if (joined_) return task();
  boost::asio::post(threads_->pool, std::move(task));
}

void Service::Join() {
  threads_->pool.join();
  joined_ = true;
}

}  // namespace mlos::api::ipc
