// SPDX-License-Identifier: MIT
#include "net/event_loop.h"

#include <gmock/gmock.h>

#include <chrono>
#include <thread>

namespace mlos::net {
namespace {

/// A loop to which nobody connects.
class LonelyLoop : public EventLoop {
 public:
  LonelyLoop() : EventLoop("test") { AwaitConnections(); }
  int ticks() const { return ticks_; }

 protected:
  void OnAccept(UniqueFd /*socket*/) override {}
  void OnTick() override { ++ticks_; }

 private:
  int ticks_ = 0;
};

TEST(EventLoopTest, NothingHoldsAFinishedLoopWhoseTickWasDueWhenItStopped) {
  auto loop = std::make_shared<LonelyLoop>();
  const std::weak_ptr<LonelyLoop> alive = loop;
  loop->Post([&loop] {
    // Longer than a tick: the timer is found due after this task and runs after the next.
    std::this_thread::sleep_for(std::chrono::milliseconds(300));
    loop->Post([&loop] { loop->Stop(); });
  });
  loop->Run();
  EXPECT_EQ(loop->ticks(), 1) << "the second was due, and the loop stopped before it";
  loop->Finish();
  EXPECT_EQ(loop->ticks(), 2);
  loop.reset();
  EXPECT_TRUE(alive.expired());
}

}  // namespace
}  // namespace mlos::net
