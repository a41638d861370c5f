// SPDX-License-Identifier: MIT
#include "api/grpc/call/service.h"

#include <algorithm>
#include <thread>

namespace mlos::api::grpc::call {
namespace {

// Loads take seconds and use several cores each; more of them at once only wait for each other.
constexpr std::size_t kManagerThreads = 2;

}  // namespace

Service::Service(Options options, runtime::Runtime& runtime)
    : options_(std::move(options)),
      runtime_(runtime),
      workers_(std::max(1U, std::thread::hardware_concurrency())),
      managers_(kManagerThreads) {}

void Service::Join() {
  workers_.join();
  managers_.join();
  joined_ = true;
}

}  // namespace mlos::api::grpc::call
