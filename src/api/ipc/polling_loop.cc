// SPDX-License-Identifier: MIT
#include "api/ipc/polling_loop.h"

namespace mlos::api::ipc {
namespace {

// Of one connection, between two looks at all of them. What is served counts for several: a client
// that is never idle keeps others waiting for no more than sixteen of its requests.
constexpr unsigned kPollsPerLook = 64;
constexpr unsigned kPollsPerServed = 4;

}  // namespace

void PollingLoop::Serve() {
  while (!io().stopped()) {
    if (Poll()) continue;
    const SteadyClock::time_point start = SteadyClock::now();
    received_ = false;
    io().run_one();
    // What has come with it is looked at first.
    polls_ = kPollsPerLook;
    if (received_) spin_.Slept(socket::NanosecondsSince(start));
  }
}

// True if something was received.
bool PollingLoop::Poll() {
  const std::int64_t budget_ns = spin_.budget_ns();
  if (budget_ns == 0) return false;
  const SteadyClock::time_point start = SteadyClock::now();
  received_ = false;
  do {
    // A look at one connection is quicker than one at all of them, who must have their turn too.
    if (latest_ == nullptr || polls_ >= kPollsPerLook) {
      polls_ = 0;
      io().poll();
    } else {
      latest_->ReadSome();
      polls_ += received_ ? kPollsPerServed : 1;
    }
    if (received_) {
      spin_.Hit();
      return true;
    }
  } while (socket::NanosecondsSince(start) < budget_ns && !io().stopped());
  spin_.Miss();
  return false;
}

}  // namespace mlos::api::ipc
