// SPDX-License-Identifier: MIT
// Which loop answers: health at the front, everything else behind it.
#include "api/http/wire/front_loop.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <atomic>
#include <chrono>
#include <functional>
#include <map>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "api/http/wire/test_client.h"

namespace mlos::api::http::wire {
namespace {

using std::chrono::milliseconds;
using testing::EndsWith;
using testing::HasSubstr;

/// Replies on the event thread with "<target>@<number of the thread>$"; the first thread that
/// answers health is 0. "/block" keeps its thread until Unblock.
class ThreadHandler : public Handler {
 public:
  resource::Accounts& accounts() override { return accounts_; }
  bool IsHealthCheck(const RequestHead& head) const override { return head.target == "/health"; }
  Admission Admit(const RequestHead& head, resource::ByteBudget& /*account*/) override {
    return {std::nullopt, std::make_shared<NamingExchange>(*this, head.target)};
  }
  Reply Refuse(const Status& status) override {
    return Text(std::string(ToString(status.reason())) + ThreadName());
  }

  void Unblock() { blocked_ = false; }
  int blocking() const { return blocking_; }

 private:
  class NamingExchange : public Exchange {
   public:
    NamingExchange(ThreadHandler& handler, std::string_view target)
        : handler_(handler), target_(target) {}
    std::uint64_t body_bytes_max() const override { return 1 << 20; }
    void Handle(net::ByteBuffer /*body*/, Responder responder) override {
      if (target_ == "/block") handler_.Block();
      responder.Send(handler_.Text(target_ + handler_.ThreadName()));
    }
    Reply Refuse(const Status& status) override { return handler_.Refuse(status); }

   private:
    ThreadHandler& handler_;
    const std::string target_;
  };

  void Block() {
    ++blocking_;
    while (blocked_) std::this_thread::sleep_for(milliseconds(1));
  }
  std::string ThreadName() {
    const std::lock_guard lock(mutex_);
    const auto number = static_cast<int>(numbers_.size());
    return "@" +
           std::to_string(numbers_.try_emplace(std::this_thread::get_id(), number).first->second) +
           "$";
  }
  static Reply Text(const std::string& text) {
    Reply reply;
    reply.body.Append(text);
    return reply;
  }

  resource::ByteBudget budget_{32 << 20};
  resource::Accounts accounts_{budget_};
  std::atomic<bool> blocked_ = true;
  std::atomic<int> blocking_ = 0;
  std::mutex mutex_;
  std::map<std::thread::id, int> numbers_;
};

constexpr std::string_view kHealth = "GET /health HTTP/1.1\r\nHost: x\r\n\r\n";
constexpr std::string_view kOther =
    "POST /other HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\n\r\nab";
constexpr std::string_view kBlock = "GET /block HTTP/1.1\r\nHost: x\r\n\r\n";

class FrontLoopTest : public testing::Test {
 protected:
  void StartWith(const Limits& limits, unsigned threads) {
    net::ListeningSockets sockets = net::OpenListeningSockets("127.0.0.1", 0, 1).value();
    port_ = sockets.port;
    listener_ = ListenWithFront(std::move(sockets), threads, limits, handler_).value();
    // Numbers the threads: the front is 0.
    TestClient client(port_);
    client.Send(kHealth);
    ASSERT_THAT(client.ReadUntil("$"), EndsWith("/health@0$"));
  }
  void Restart(const Limits& limits, unsigned threads) {
    listener_.reset();
    handler_ = std::make_shared<ThreadHandler>();
    StartWith(limits, threads);
  }
  void SetUp() override { StartWith(Limits(), 2); }
  void TearDown() override {
    handler_->Unblock();
    listener_.reset();
    EXPECT_EQ(handler_->accounts().whole().used(), 0);
  }

  std::shared_ptr<ThreadHandler> handler_ = std::make_shared<ThreadHandler>();
  std::unique_ptr<net::Listener> listener_;
  std::uint16_t port_ = 0;
};

TEST_F(FrontLoopTest, HealthIsAnsweredWhileEveryOtherThreadIsKept) {
  TestClient kept(port_);
  kept.Send(kHealth);
  EXPECT_THAT(kept.ReadUntil("$"), EndsWith("/health@0$"));
  std::vector<std::unique_ptr<TestClient>> blocked;
  for (int i = 0; i < 2; ++i) {
    blocked.push_back(std::make_unique<TestClient>(port_));
    blocked.back()->Send(kBlock);
    while (handler_->blocking() != i + 1) std::this_thread::sleep_for(milliseconds(1));
  }
  for (int i = 0; i < 3; ++i) {
    kept.Send(kHealth);
    EXPECT_THAT(kept.ReadUntil("$"), EndsWith("/health@0$"));
    TestClient late(port_);
    late.Send(kHealth);
    EXPECT_THAT(late.ReadUntil("$"), EndsWith("/health@0$"));
  }
}

TEST_F(FrontLoopTest, EverythingElseIsAnsweredBehindIt) {
  const std::map<std::string, std::string_view> requests = {
      {"another target", kOther},
      {"a malformed head", "GET / HTTP/1.1\n"},
      {"a malformed header", "GET /health HTTP/1.1\r\nHost: x\r\nContent-Length: x\r\n\r\n"}};
  for (const auto& [what, request] : requests) {
    TestClient client(port_);
    for (const char c : request) client.Send(std::string_view(&c, 1));
    EXPECT_THAT(client.ReadUntil("$"), testing::Not(HasSubstr("@0$"))) << what;
  }
}

TEST_F(FrontLoopTest, AConnectionThatAsksForMoreIsServedInOrderAndStaysWhereItWent) {
  TestClient client(port_);
  client.Send(std::string(kHealth) + std::string(kOther) + std::string(kHealth) +
              std::string(kOther));
  EXPECT_THAT(client.ReadUntil("$"), EndsWith("/health@0$"));
  const std::string other = client.ReadUntil("$");
  const std::string where = other.substr(other.size() - 3);
  EXPECT_THAT(other, EndsWith("/other" + where));
  EXPECT_NE(where, "@0$");
  EXPECT_THAT(client.ReadUntil("$"), EndsWith("/health" + where));
  EXPECT_THAT(client.ReadUntil("$"), EndsWith("/other" + where));
}

TEST_F(FrontLoopTest, ConnectionsThatAskForNothingLeaveTheirPlacesAndAreServedLater) {
  Restart({.connections_per_peer_max = 64}, 1);
  std::vector<std::unique_ptr<TestClient>> clients;
  for (int i = 0; i < 40; ++i) {
    clients.push_back(std::make_unique<TestClient>(port_));
    if (i % 3 == 1) clients.back()->Send(kOther.substr(0, 20));
    if (i % 3 == 2) clients.back()->Send(kHealth);
  }
  for (int i = 0; i < 40; ++i) {
    TestClient& client = *clients[static_cast<std::size_t>(i)];
    if (i % 3 == 2) {
      EXPECT_THAT(client.ReadUntil("$"), HasSubstr("/health@"));
    }
    client.Send(i % 3 == 1 ? kOther.substr(20) : kOther);
    EXPECT_THAT(client.ReadUntil("$"), HasSubstr("/other@"));
  }
}

TEST_F(FrontLoopTest, ADrainAnswersWhatWasSent) {
  for (int i = 0; i < 20; ++i) {
    TestClient healthy(port_);
    TestClient other(port_);
    TestClient kept(port_);
    kept.Send(kHealth);
    kept.ReadUntil("$");
    healthy.Send(kHealth);
    other.Send(kOther);
    EXPECT_TRUE(listener_->Shutdown(SteadyClock::now() + std::chrono::seconds(30)));
    EXPECT_THAT(healthy.ReadAll(), EndsWith("/health@0$"));
    EXPECT_THAT(other.ReadAll(), HasSubstr("/other@"));
    EXPECT_EQ(kept.ReadAll(), "");
    Restart(Limits(), 2);
  }
}

}  // namespace
}  // namespace mlos::api::http::wire
