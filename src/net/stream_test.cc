// SPDX-License-Identifier: MIT
#include "net/stream.h"

#include <gtest/gtest.h>
#include <sys/socket.h>

#include <atomic>
#include <boost/asio/io_context.hpp>
#include <csignal>
#include <optional>
#include <string>
#include <thread>

#include "base/unique_fd.h"
#include "net/tls/server.h"
#include "net/tls/test_certificates.h"
#include "net/tls/test_client.h"

namespace mlos::net {
namespace {

using boost::asio::ip::tcp;
using boost::system::error_code;

/// A stream on one end of a TCP connection, served on the thread that runs `io_`.
class StreamTest : public testing::TestWithParam<bool> {
 protected:
  void SetUp() override {
    std::signal(SIGPIPE, SIG_IGN);
    made_.Make("a");
    tls_ =
        tls::Server::Load({.certificate = made_.path("a.pem"), .key = made_.path("a.key")}).value();
    tcp::acceptor acceptor(io_, {boost::asio::ip::make_address("127.0.0.1"), 0});
    client_ = UniqueFd(socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
    const tcp::endpoint server = acceptor.local_endpoint();
    ASSERT_EQ(connect(client_.get(), server.data(), static_cast<socklen_t>(server.size())), 0);
    tcp::socket accepted = acceptor.accept();
    accepted.non_blocking(true);
    auto session = GetParam() ? tls_->NewSession(accepted.native_handle(), tls::kAny) : nullptr;
    stream_.emplace(std::move(accepted), std::move(session));
  }

  void Echo() {
    stream_->Read(bytes_, sizeof(bytes_), [this](const error_code& error, std::size_t count) {
      ended_ = error;
      if (!error) Answer(0, count);
    });
  }
  void Answer(std::size_t from, std::size_t to) {
    while (from < to) {
      error_code error;
      from += stream_->Write(boost::asio::buffer(bytes_ + from, to - from), error);
      if (error == boost::asio::error::would_block) {
        stream_->WaitWritable([this, from, to](const error_code&) { Answer(from, to); });
        return;
      }
      ASSERT_FALSE(error) << error.message();
    }
    Echo();
  }
  void Start() {
    if (!stream_->encrypted()) return Echo();
    stream_->Handshake([this](const error_code& error) {
      ended_ = error;
      if (!error) Echo();
    });
  }

  boost::asio::io_context io_{1};
  tls::TestCertificates made_;
  std::shared_ptr<tls::Server> tls_;
  UniqueFd client_;
  std::optional<Stream> stream_;
  char bytes_[50'000];
  error_code ended_;
};

TEST_P(StreamTest, WhatComesGoesBack) {
  Start();
  std::thread server([this] { io_.run(); });
  {
    tls::Client client(client_.get(), GetParam());
    for (const std::size_t size : {std::size_t{1}, std::size_t{16'384}, std::size_t{100'000}}) {
      for (char c = 'a'; c < 'k'; ++c) {
        const std::string sent(size, c);
        client.Send(sent);
        EXPECT_EQ(client.Receive(size), sent);
      }
    }
  }
  client_.Reset();
  server.join();
  EXPECT_EQ(ended_, boost::asio::error::eof);
}

TEST_P(StreamTest, ClosedItTouchesTheSocketNoMore) {
  Start();
  std::atomic<bool> sent = false;
  std::thread client([&] {
    tls::Client(client_.get(), GetParam()).Send(std::string(100, 'x'));
    sent.store(true);
  });
  // By then something lies there to be read, or the read waits.
  while (!sent.load()) io_.run_one_for(std::chrono::milliseconds(1));
  client.join();
  stream_->Close();
  bool called = false;
  stream_->Read(bytes_, sizeof(bytes_), [&](const error_code& error, std::size_t count) {
    called = true;
    EXPECT_TRUE(error);
    EXPECT_EQ(count, 0u);
  });
  io_.restart();
  io_.run();
  EXPECT_TRUE(called);
}

INSTANTIATE_TEST_SUITE_P(Kinds, StreamTest, testing::Bool(),
                         [](const auto& info) { return info.param ? "Tls" : "Plain"; });

class TlsStreamTest : public StreamTest {};

TEST_P(TlsStreamTest, WhatIsNotTlsFailsTheHandshake) {
  Start();
  tls::Client(client_.get(), false).Send("GET / HTTP/1.1\r\nHost: localhost\r\n\r\n");
  io_.run();
  EXPECT_EQ(ended_, boost::asio::error::connection_aborted);
}

INSTANTIATE_TEST_SUITE_P(Kinds, TlsStreamTest, testing::Values(true));

}  // namespace
}  // namespace mlos::net
