// SPDX-License-Identifier: MIT
#include "api/http/call/service.h"

#include <algorithm>
#include <thread>

namespace mlos::api::http::call {
namespace {

// Loads take seconds and use several cores each; more of them at once only wait for each other.
constexpr std::size_t kManagerThreads = 2;

std::size_t Cores() { return std::max(1U, std::thread::hardware_concurrency()); }

}  // namespace

Service::Service(Options options, runtime::Runtime& runtime, std::uint16_t port)
    : options_(std::move(options)),
      runtime_(runtime),
      port_(port),
      workers_(Cores()),
      managers_(kManagerThreads) {}

std::optional<Service::Wait> Service::TryWaitForReader() {
  std::optional<Wait> wait(std::in_place, *this);
  if (++waits_ > options_.slow_readers_max) wait.reset();
  return wait;
}

void Service::Join() {
  workers_.join();
  managers_.join();
  joined_ = true;
}

}  // namespace mlos::api::http::call
