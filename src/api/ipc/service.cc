// SPDX-License-Identifier: MIT
#include "api/ipc/service.h"

#include <boost/asio/post.hpp>
#include <boost/asio/thread_pool.hpp>
#include <utility>

namespace mlos::api::ipc {
namespace {

// Loads take seconds and use several cores each; more of them at once only wait for each other.
constexpr std::size_t kThreads = 2;

}  // namespace

class Service::Threads {
 public:
  boost::asio::thread_pool pool{kThreads};
};

Service::Service(ServerOptions options, runtime::Runtime& runtime)
    : options_(std::move(options)), runtime_(runtime), threads_(std::make_unique<Threads>()) {}

Service::~Service() { Join(); }

void Service::Post(std::function<void()> task) {
  if (joined_) return task();
  boost::asio::post(threads_->pool, std::move(task));
}

void Service::Join() {
  threads_->pool.join();
  joined_ = true;
}

}  // namespace mlos::api::ipc
