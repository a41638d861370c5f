// SPDX-License-Identifier: MIT
// A session against OpenSSL's own client, over a pair of sockets that do not block.
#include "net/tls/session.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <openssl/ssl.h>
#include <sys/socket.h>

#include <csignal>
#include <functional>
#include <vector>

#include "base/unique_fd.h"
#include "net/tls/server.h"
#include "net/tls/test_certificates.h"

namespace mlos::net::tls {
namespace {

class TlsSessionTest : public testing::Test {
 protected:
  void SetUp() override {
    std::signal(SIGPIPE, SIG_IGN);
    made_.Make("a");
    server_ =
        Server::Load({.certificate = made_.path("a.pem"), .key = made_.path("a.key")}).value();
    int pair[2];
    ASSERT_EQ(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, pair), 0);
    ours_ = UniqueFd(pair[0]);
    theirs_ = UniqueFd(pair[1]);
    session_ = server_->NewSession(ours_.get(), kAny);
    context_.reset(SSL_CTX_new(TLS_client_method()), &SSL_CTX_free);
    client_.reset(SSL_new(context_.get()), &SSL_free);
    SSL_set_fd(client_.get(), theirs_.get());
    SSL_set_connect_state(client_.get());
  }

  void Connect() {
    Step step = Step::kWantsRead;
    for (int i = 0; i < 20 && step != Step::kDone; ++i) {
      SSL_do_handshake(client_.get());
      step = session_->Handshake();
      ASSERT_NE(step, Step::kFailed);
    }
    ASSERT_EQ(SSL_do_handshake(client_.get()), 1);
    ASSERT_EQ(step, Step::kDone);
  }

  Step ReadInto(std::string& all) {
    char bytes[5000];
    std::size_t count = 0;
    const Step step = session_->Read(bytes, sizeof(bytes), count);
    all.append(bytes, count);
    return step;
  }

  TestCertificates made_;
  std::shared_ptr<Server> server_;
  UniqueFd ours_;
  UniqueFd theirs_;
  std::unique_ptr<Session> session_;
  std::shared_ptr<SSL_CTX> context_;
  std::shared_ptr<SSL> client_;
};

TEST_F(TlsSessionTest, WhatWaitsInTheSessionIsNotWaitedForAtTheSocket) {
  Connect();
  const std::string sent(16'000, 'x');
  ASSERT_EQ(SSL_write(client_.get(), sent.data(), 16'000), 16'000);
  std::string all;
  // One record, read in four pieces, of which the socket gave all with the first.
  for (int i = 1; i <= 4; ++i) {
    EXPECT_EQ(ReadInto(all), Step::kDone);
    EXPECT_EQ(session_->buffered(), i < 4);
  }
  EXPECT_EQ(all, sent);
  EXPECT_EQ(ReadInto(all), Step::kWantsRead);
  EXPECT_FALSE(session_->buffered());
}

TEST_F(TlsSessionTest, APartOfARecordWaitsForTheSocket) {
  Connect();
  int between[2];
  ASSERT_EQ(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, between), 0);
  const UniqueFd from(between[0]);
  const UniqueFd into(between[1]);
  SSL_set_fd(client_.get(), into.get());
  ASSERT_EQ(SSL_write(client_.get(), "hello", 5), 5);
  char record[100];
  const ssize_t size = read(from.get(), record, sizeof(record));
  ASSERT_GT(size, 10);
  std::string all;
  ASSERT_EQ(write(theirs_.get(), record, 10), 10);
  EXPECT_EQ(ReadInto(all), Step::kWantsRead);
  EXPECT_FALSE(session_->buffered());
  ASSERT_EQ(write(theirs_.get(), record + 10, static_cast<std::size_t>(size) - 10), size - 10);
  EXPECT_EQ(ReadInto(all), Step::kDone);
  EXPECT_EQ(all, "hello");
}

TEST_F(TlsSessionTest, AWriteGoesOnFromOtherMemory) {
  Connect();
  const std::string sent(1 << 20, 'y');
  std::string received;
  std::size_t written = 0;
  while (received.size() < sent.size()) {
    const std::string elsewhere = sent.substr(written);
    std::size_t count = 0;
    if (!elsewhere.empty()) {
      const Step step = session_->Write(elsewhere.data(), elsewhere.size(), count);
      ASSERT_TRUE(step == Step::kDone || step == Step::kWantsWrite);
      written += count;
      if (step == Step::kDone) continue;
    }
    char bytes[65536];
    const int got = SSL_read(client_.get(), bytes, sizeof(bytes));
    ASSERT_GT(got, 0);
    received.append(bytes, static_cast<std::size_t>(got));
  }
  EXPECT_EQ(received, sent);
}

TEST_F(TlsSessionTest, TheEndOfTheClientIsToldFromAFailure) {
  Connect();
  std::string all;
  SSL_shutdown(client_.get());
  EXPECT_EQ(ReadInto(all), Step::kEnded);
  std::size_t count = 0;
  EXPECT_EQ(session_->Write("bye", 3, count), Step::kDone) << "it may still be answered";
}

TEST_F(TlsSessionTest, AClientThatGoesWithoutAWordHasEnded) {
  Connect();
  char tickets[100];
  ASSERT_LT(SSL_read(client_.get(), tickets, sizeof(tickets)), 0);  // unread, they were a reset
  theirs_.Reset();
  std::string all;
  EXPECT_EQ(ReadInto(all), Step::kEnded);
}

TEST_F(TlsSessionTest, AClientThatSendsNothingButTlsIsCutOff) {
  const std::function<void()> floods[] = {
      [&] { SSL_key_update(client_.get(), SSL_KEY_UPDATE_NOT_REQUESTED); },
      [&] { SSL_key_update(client_.get(), SSL_KEY_UPDATE_REQUESTED); },
      [&] { SSL_renegotiate(client_.get()); },
  };
  for (std::size_t flood = 0; flood < std::size(floods); ++flood) {
    SetUp();
    const bool renegotiates = flood == 2;
    if (renegotiates) SSL_set_max_proto_version(client_.get(), TLS1_2_VERSION);
    Connect();
    std::string all;
    ASSERT_EQ(SSL_write(client_.get(), "x", 1), 1);
    EXPECT_EQ(ReadInto(all), Step::kDone);
    if (renegotiates) {
      // OpenSSL's client gives up after the first refusal.
      floods[flood]();
      SSL_do_handshake(client_.get());
      EXPECT_EQ(ReadInto(all), Step::kWantsRead);
      SSL_do_handshake(client_.get());
      EXPECT_EQ(SSL_get_error(client_.get(), -1), SSL_ERROR_SSL);
      continue;
    }
    Step step = Step::kWantsRead;
    for (int i = 0; i < 100 && step == Step::kWantsRead; ++i) {
      floods[flood]();
      SSL_do_handshake(client_.get());
      step = ReadInto(all);
    }
    EXPECT_EQ(step, Step::kFailed) << flood;
  }
}

}  // namespace
}  // namespace mlos::net::tls
