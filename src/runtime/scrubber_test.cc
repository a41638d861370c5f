// SPDX-License-Identifier: MIT
#include "runtime/scrubber.h"

#include <gtest/gtest.h>

#include <future>

namespace mlos::runtime {
namespace {

TEST(Scrubber, LooksAgainAfterEachInterval) {
  std::promise<void> twice;
  int looks = 0;
  Scrubber scrubber(std::chrono::seconds(1), [&](const std::atomic<bool>&) {
    if (++looks == 2) twice.set_value();
  });
  twice.get_future().wait();
}

TEST(Scrubber, StopsInTheMiddleOfALook) {
  std::promise<void> looking;
  Scrubber scrubber(std::chrono::seconds(1), [&](const std::atomic<bool>& stop) {
    looking.set_value();
    while (!stop.load()) std::this_thread::yield();
  });
  looking.get_future().wait();
  scrubber.Stop();
}

TEST(Scrubber, NeverLooksWithoutAnInterval) {
  Scrubber scrubber(std::chrono::seconds(0), [](const std::atomic<bool>&) { FAIL(); });
}

}  // namespace
}  // namespace mlos::runtime
