// SPDX-License-Identifier: MIT
// Over real sockets. Time passes when a test says so: it calls OnTick with a later time.
#include "net/stream_connection.h"

#include <gtest/gtest.h>
#include <netinet/in.h>

#include <atomic>
#include <chrono>
#include <csignal>
#include <future>
#include <string>
#include <thread>

#include "base/test_waiting.h"
#include "net/tls/test_certificates.h"
#include "net/tls/test_client.h"

namespace mlos::net {
namespace {

constexpr std::int64_t kHourMs = 3'600'000;
constexpr std::size_t kLarge = 32 << 20;

/// What has become of the connections of a loop.
struct Counts {
  std::atomic<int> open = 0;
  std::atomic<int> cancelled = 0;  ///< reads
  std::atomic<int> blocked = 0;    ///< writes that had to wait
  std::atomic<int> drained = 0;
  std::atomic<int> closed = 0;
};

/// Sends back what comes; for "large" kLarge bytes instead, and for "quit", whatever follows, the
/// last words "bye".
class Parrot : public StreamConnection {
 public:
  Parrot(TcpLoop& loop, Stream stream, const boost::asio::ip::address& peer, Counts& counts)
      : StreamConnection(loop, std::move(stream), peer,
                         {.opening_ms = kHourMs, .write_ms = kHourMs}),
        counts_(counts) {}

  using StreamConnection::Cancel;
  using StreamConnection::Release;

 private:
  struct Words {
    bool empty() const { return sent == text.size(); }
    boost::asio::const_buffer buffers() const {
      return boost::asio::buffer(text.data() + sent, text.size() - sent);
    }
    void Consume(std::size_t count) { sent += count; }

    std::string text;
    std::size_t sent = 0;
  };

  void OnOpen() override {
    ++counts_.open;
    Read(heard_, sizeof(heard_));
  }
  void OnRead(std::size_t count) override {
    const std::string_view heard(heard_, count);
    if (heard.empty()) {
      ++counts_.cancelled;
      return;
    }
    last_ = heard.starts_with("quit");
    words_ = {std::string(heard)};
    if (heard == "large") words_.text.assign(kLarge, 'L');
    if (last_) words_.text = "bye";
    Speak();
  }
  void OnWritable() override { Speak(); }
  bool OpenAwaitsPeer() const override { return true; }
  void Speak() {
    if (!Write(words_)) {
      ++counts_.blocked;
    } else if (last_) {
      Linger();
    } else {
      Read(heard_, sizeof(heard_));
    }
  }
  void CheckDeadlines(SteadyClock::time_point /*now*/) override {}
  void OnDrain() override { ++counts_.drained; }
  void OnClose() override { ++counts_.closed; }

  Counts& counts_;
  char heard_[1000];
  Words words_;
  bool last_ = false;
};

class ParrotLoop : public TcpLoop {
 public:
  ParrotLoop(Counts& counts, std::shared_ptr<tls::Server> tls)
      : TcpLoop({.door = "test",
                 .connections_max = 100,
                 .connections_per_peer_max = 100,
                 .tls = std::move(tls),
                 .protocols = &tls::kAny}),
        counts_(counts) {}

  /// The connection that came last; on the loop's thread.
  std::shared_ptr<Parrot> last() const { return last_.lock(); }

 protected:
  std::shared_ptr<PeerConnection> Make(Stream stream,
                                       const boost::asio::ip::address& peer) override {
    const auto parrot = std::make_shared<Parrot>(*this, std::move(stream), peer, counts_);
    last_ = parrot;
    return parrot;
  }
  bool CloseIdle(const boost::asio::ip::address* /*peer*/) override { return false; }

 private:
  Counts& counts_;
  std::weak_ptr<Parrot> last_;
};

class StreamConnectionFixture : public testing::Test {
 protected:
  void StartLoop(bool encrypted) {
    std::signal(SIGPIPE, SIG_IGN);
    encrypted_ = encrypted;
    if (encrypted) {
      made_.Make("a");
      tls_ = tls::Server::Load(
                 {.certificate = made_.path("a.pem"), .key = made_.path("a.key"), .client_ca = {}})
                 .value();
    }
    ListeningSockets sockets = OpenListeningSockets("127.0.0.1", 0, 1).value();
    loop_ = std::make_shared<ParrotLoop>(counts_, tls_);
    ASSERT_TRUE(loop_->Listen(std::move(sockets.fds.front())).ok());
    server_ = std::thread([this] { loop_->Run(); });
    socket_ = UniqueFd(socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_port = htons(sockets.port);
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    ASSERT_EQ(connect(socket_.get(), reinterpret_cast<sockaddr*>(&address), sizeof(address)), 0);
  }
  void TearDown() override {
    loop_->Stop();
    server_.join();
    loop_->Finish();
    EXPECT_EQ(counts_.open.load(), counts_.closed.load() - closed_unopened_ + released_);
    const std::weak_ptr<ParrotLoop> alive = loop_;
    loop_.reset();
    EXPECT_TRUE(alive.expired()) << "a connection, or an operation of one, holds it";
  }

  tls::Client Connect() { return {socket_.get(), encrypted_}; }
  bool WaitsFor(const std::atomic<int>& count) {
    return Eventually([&count] { return count > 0; });
  }
  /// Runs `task`, given the connection, on the loop's thread.
  template <typename Task>
  void Do(Task task) {
    std::promise<void> done;
    loop_->Post([&] {
      task(loop_->last());
      done.set_value();
    });
    done.get_future().wait();
  }
  void LetPass(std::int64_t milliseconds) {
    Do([&](const std::shared_ptr<Parrot>& parrot) {
      parrot->OnTick(MillisecondsAfter(SteadyClock::now(), milliseconds));
    });
  }

  Counts counts_;
  int released_ = 0;
  int closed_unopened_ = 0;
  bool encrypted_ = false;
  tls::TestCertificates made_;
  std::shared_ptr<tls::Server> tls_;
  std::shared_ptr<ParrotLoop> loop_;
  std::thread server_;
  UniqueFd socket_;
};

/// What is true of every stream.
class StreamConnectionTest : public StreamConnectionFixture,
                             public testing::WithParamInterface<bool> {
 protected:
  void SetUp() override { StartLoop(GetParam()); }
};

INSTANTIATE_TEST_SUITE_P(Kinds, StreamConnectionTest, testing::Bool(),
                         [](const auto& info) { return info.param ? "Tls" : "Plain"; });

TEST_P(StreamConnectionTest, ReadsAndWritesUntilThePeerGoes) {
  tls::Client client = Connect();
  for (const std::string word : {"one", "two", "three"}) {
    client.Send(word);
    EXPECT_EQ(client.Receive(word.size()), word);
  }
  EXPECT_EQ(counts_.closed.load(), 0);
  socket_.Reset();
  EXPECT_TRUE(WaitsFor(counts_.closed));
}

TEST_P(StreamConnectionTest, WritesMoreThanTheSocketTakes) {
  tls::Client client = Connect();
  client.Send("large");
  ASSERT_TRUE(WaitsFor(counts_.blocked));
  EXPECT_EQ(client.Receive(kLarge), std::string(kLarge, 'L'));
  client.Send("more");
  EXPECT_EQ(client.Receive(4), "more");
}

TEST_P(StreamConnectionTest, CutsOffAPeerThatDoesNotTakeWhatIsWritten) {
  tls::Client client = Connect();
  client.Send("large");
  ASSERT_TRUE(WaitsFor(counts_.blocked));
  LetPass(kHourMs / 2);
  EXPECT_EQ(counts_.closed.load(), 0);
  LetPass(kHourMs);
  EXPECT_EQ(counts_.closed.load(), 1);
  EXPECT_LT(client.Receive(kLarge).size(), kLarge);
}

TEST_P(StreamConnectionTest, APeerThatTookEverythingHasNoDeadline) {
  tls::Client client = Connect();
  client.Send("large");
  client.Receive(kLarge);
  client.Send("more");
  client.Receive(4);
  LetPass(10 * kHourMs);
  EXPECT_EQ(counts_.closed.load(), 0);
}

// Were the socket closed with bytes unread, the kernel would reset the connection, and the client
// could neither send on nor read the last words.
TEST_P(StreamConnectionTest, APeerThatIsStillSendingReadsTheLastWords) {
  tls::Client client = Connect();
  client.Send("quit");
  for (int i = 0; i < 20; ++i) client.Send(std::string(1 << 20, 'x'));
  EXPECT_EQ(client.Receive(4), "bye") << "and the end behind it";
  socket_.Reset();
  EXPECT_TRUE(WaitsFor(counts_.closed));
}

TEST_P(StreamConnectionTest, ItsLastWordsAreNotWaitedForWithoutEnd) {
  tls::Client client = Connect();
  client.Send("quit");
  EXPECT_EQ(client.Receive(4), "bye");
  LetPass(2'000);
  EXPECT_EQ(counts_.closed.load(), 1);
}

TEST_P(StreamConnectionTest, ADrainIsToldToWhatIsOpen) {
  tls::Client client = Connect();
  client.Send("one");
  client.Receive(3);
  loop_->Drain();
  ASSERT_TRUE(WaitsFor(counts_.drained));
  client.Send("two");
  EXPECT_EQ(client.Receive(3), "two");
}

TEST_F(StreamConnectionFixture, AHandshakeThatDoesNotComeIsNotWaitedFor) {
  StartLoop(true);
  ASSERT_TRUE(Eventually([&] {
    bool made = false;
    Do([&made](const std::shared_ptr<Parrot>& parrot) { made = parrot != nullptr; });
    return made;
  }));
  LetPass(kHourMs / 2);
  EXPECT_EQ(counts_.closed.load(), 0);
  LetPass(kHourMs);
  EXPECT_EQ(counts_.closed.load(), 1);
  closed_unopened_ = 1;
}

TEST_F(StreamConnectionFixture, ADrainShortensTheHandshake) {
  StartLoop(true);
  loop_->Drain();
  EXPECT_TRUE(WaitsFor(counts_.closed));
  closed_unopened_ = 1;
}

TEST_F(StreamConnectionFixture, ACancelledReadLeavesASocketThatGoesOnElsewhere) {
  StartLoop(false);
  tls::Client client = Connect();
  client.Send("one");
  client.Receive(3);
  Do([](const std::shared_ptr<Parrot>& parrot) { parrot->Cancel(); });
  ASSERT_TRUE(WaitsFor(counts_.cancelled));
  UniqueFd released;
  Do([&](const std::shared_ptr<Parrot>& parrot) { released = parrot->Release(); });
  released_ = 1;
  ASSERT_EQ(send(released.get(), "two", 3, MSG_NOSIGNAL), 3);
  EXPECT_EQ(client.Receive(3), "two");
}

}  // namespace
}  // namespace mlos::net
