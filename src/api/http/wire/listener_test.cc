// SPDX-License-Identifier: MIT
// Connections end to end, over real sockets and a handler made for the tests.
#include "net/listener.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <atomic>
#include <chrono>
#include <thread>

#include "api/http/wire/body_stream.h"
#include "api/http/wire/event_loop.h"
#include "api/http/wire/front_loop.h"
#include "api/http/wire/test_client.h"
#include "base/test_waiting.h"

namespace mlos::api::http::wire {
namespace {

using std::chrono::milliseconds;
using testing::EndsWith;
using testing::HasSubstr;
using testing::Not;
using testing::StartsWith;

constexpr std::uint64_t kBodyMax = 4 << 20;
constexpr std::size_t kLargePiece = 32 << 10;

struct Counts {
  std::atomic<int> gone = 0;     ///< callers
  std::atomic<int> streams = 0;  ///< that are being made
  std::atomic<int> sources = 0;  ///< of bodies that are being sent
  std::atomic<int> pieces = 0;   ///< that they were asked for
};

/// Replies with the target and the body: at once, or from another thread where the target has
/// "later" (100 ms) or "gone" (after the first caller went), with padding where it has "large".
/// Where it has "source", the body is made while it is sent: "0;", "1;" …, ten of them, padded
/// where it has "large", or without end; its length is told where it has "length". Where it has
/// "stream", the reply comes in pieces, as fast as they are read: "0;", "1;" …, ten of them, padded
/// where it has "large", or without end.
class CountingSource : public net::BodySource {
 public:
  CountingSource(std::size_t padding, bool endless, bool tells_length,
                 std::shared_ptr<Counts> counts)
      : padding_(padding),
        endless_(endless),
        tells_length_(tells_length),
        counts_(std::move(counts)) {
    ++counts_->sources;
  }
  ~CountingSource() override { --counts_->sources; }

  std::optional<std::uint64_t> length() const override {
    if (!tells_length_) return std::nullopt;
    return 10 * (2 + padding_);
  }
  std::string_view Next() override {
    ++counts_->pieces;
    if (next_ == 10 && !endless_) return {};
    piece_ = std::to_string(next_++) + ";" + std::string(padding_, 'L');
    return piece_;
  }

 private:
  const std::size_t padding_;
  const bool endless_;
  const bool tells_length_;
  const std::shared_ptr<Counts> counts_;
  int next_ = 0;
  std::string piece_;
};

class EchoExchange : public Exchange, public std::enable_shared_from_this<EchoExchange> {
 public:
  EchoExchange(std::string_view target, resource::ByteBudget& budget,
               std::shared_ptr<Counts> counts)
      : target_(target), budget_(budget), counts_(std::move(counts)) {}

  std::uint64_t body_bytes_max() const override { return kBodyMax; }
  void Handle(net::ByteBuffer body, Responder responder) override {
    if (Has("stream")) {
      ++counts_->streams;
      std::thread([self = shared_from_this(), responder] {
        self->Stream(responder);
        --self->counts_->streams;
      }).detach();
      return;
    }
    if (Has("source")) {
      Reply reply;
      reply.source = std::make_unique<CountingSource>(Has("large") ? kLargePiece : 0,
                                                      Has("endless"), Has("length"), counts_);
      responder.Send(std::move(reply));
      return;
    }
    if (!Has("later") && !Has("gone")) {
      responder.Send(Echo(body));
      return;
    }
    std::thread([self = shared_from_this(), body = std::move(body),
                 responder = std::move(responder)]() mutable {
      if (self->Has("later")) std::this_thread::sleep_for(milliseconds(100));
      if (self->Has("gone")) {
        EXPECT_TRUE(Eventually([&] { return self->counts_->gone > 0; }));
      }
      responder.Send(self->Echo(std::exchange(body, net::ByteBuffer())));
    }).detach();
  }
  Reply Refuse(const Status& status) override {
    Reply reply;
    reply.http_status = 400;
    reply.body.Append(ToString(status.reason()));
    return reply;
  }

  void OnCallerGone() override { ++counts_->gone; }

 private:
  bool Has(std::string_view what) const { return target_.find(what) != std::string::npos; }

  void Stream(const Responder& responder) const {
    const auto credit = std::make_shared<engine::Credit>();
    const auto stream = std::make_shared<BodyStream>(budget_, responder, credit);
    Reply reply;
    reply.content_type = "text/plain";
    reply.stream = BodyStream::ReaderOf(stream);
    responder.Send(std::move(reply));
    for (int i = 0; i < 10 || Has("endless"); ++i) {
      net::ByteBuffer piece(budget_);
      piece.Append(std::to_string(i) + ";" + std::string(Has("large") ? 1 << 20 : 0, 'L'));
      if (!stream->Write(std::move(piece)).ok()) break;
      // Of each of two: what waits, in a buffer that doubles, and what is being sent.
      EXPECT_LE(budget_.used(), 8 * (4 << 20));
      while (!credit->has_room()) std::this_thread::sleep_for(std::chrono::milliseconds(1));
    }
    net::ByteBuffer last;
    last.Append("$");
    stream->End(std::move(last));
  }

  Reply Echo(const net::ByteBuffer& body) const {
    Reply reply;
    reply.body.Append(target_);
    reply.body.Append('=');
    reply.body.Append(body.view());
    if (Has("large")) reply.body.Append(std::string(8 << 20, 'L'));
    reply.body.Append('$');
    return reply;
  }

  const std::string target_;
  resource::ByteBudget& budget_;
  const std::shared_ptr<Counts> counts_;
};

class EchoHandler : public Handler {
 public:
  resource::Accounts& accounts() override { return accounts_; }
  Admission Admit(const RequestHead& head, resource::ByteBudget& account) override {
    if (head.target == "/refused") return {Refuse({Reason::kRouteNotFound, "no"}), nullptr};
    return {std::nullopt, std::make_shared<EchoExchange>(head.target, account, counts_)};
  }
  Reply Refuse(const Status& status) override {
    Reply reply;
    reply.http_status = 400;
    reply.body.Append(ToString(status.reason()));
    return reply;
  }

  int gone() const { return counts_->gone.load(); }
  int streams() const { return counts_->streams.load(); }
  int sources() const { return counts_->sources.load(); }
  int pieces() const { return counts_->pieces.load(); }

 private:
  const std::shared_ptr<Counts> counts_ = std::make_shared<Counts>();
  resource::ByteBudget budget_{32 << 20};
  resource::Accounts accounts_{budget_};
};

class ListenerFixture : public testing::Test {
 protected:
  void StartWith(const Limits& limits, unsigned threads = 2) {
    net::ListeningSockets sockets =
        net::OpenListeningSockets("127.0.0.1", 0, front_ ? 1 : threads).value();
    port_ = sockets.port;
    auto listener = front_ ? ListenWithFront(std::move(sockets), threads, limits, handler_)
                           : net::Listener::Start<EventLoop>(std::move(sockets), limits, handler_);
    listener_ = std::move(listener).value();
  }
  void SetUp() override { StartWith(Limits()); }
  void TearDown() override {
    listener_.reset();
    EXPECT_TRUE(Eventually([&] { return handler_->streams() == 0; }));
    // A stream that was lost may hold its last piece for a moment.
    EXPECT_TRUE(Eventually([&] { return handler_->accounts().whole().used() == 0; }));
  }

  std::string Exchange(std::string_view request) {
    TestClient client(port_);
    client.Send(request);
    return client.ReadAll();
  }

  std::shared_ptr<EchoHandler> handler_ = std::make_shared<EchoHandler>();
  std::unique_ptr<net::Listener> listener_;
  std::uint16_t port_ = 0;
  bool front_ = true;
};

/// What is true of every connection, whether it comes in at a front or not.
class ListenerTest : public ListenerFixture, public testing::WithParamInterface<bool> {
 protected:
  ListenerTest() { front_ = GetParam(); }
};

INSTANTIATE_TEST_SUITE_P(Doors, ListenerTest, testing::Bool(),
                         [](const auto& info) { return info.param ? "Front" : "NoFront"; });

std::string Request(std::string_view target, std::string_view headers = "",
                    std::string_view body = "") {
  return "POST " + std::string(target) + " HTTP/1.1\r\nHost: localhost\r\n" + std::string(headers) +
         "\r\n" + std::string(body);
}

TEST_P(ListenerTest, KeepsTheConnectionBetweenRequests) {
  TestClient client(port_);
  for (int i = 0; i < 3; ++i) {
    client.Send(Request("/a", "Content-Length: 3\r\n", "xyz"));
    const std::string reply = client.ReadUntil("$");
    EXPECT_THAT(reply, StartsWith("HTTP/1.1 200 OK\r\n"));
    EXPECT_THAT(reply, HasSubstr("\r\nContent-Length: 7\r\n"));
    EXPECT_THAT(reply, EndsWith("\r\n\r\n/a=xyz$"));
    EXPECT_THAT(reply, Not(HasSubstr("Connection: close")));
  }
}

TEST_P(ListenerTest, TellsOfACallerThatGoesAwayWhileItsRequestIsHandled) {
  {
    TestClient(port_).Send(Request("/gone"));
  }
  EXPECT_TRUE(Eventually([&] { return handler_->gone() == 1; }));
  EXPECT_THAT(Exchange(Request("/later", "Connection: close\r\n")), EndsWith("/later=$"));
  EXPECT_EQ(handler_->gone(), 1) << "this one had its reply";
}

TEST_P(ListenerTest, AnswersACallerThatEndedItsSide) {
  TestClient client(port_);
  client.Send(Request("/later"));
  client.EndSending();
  EXPECT_THAT(client.ReadAll(), EndsWith("/later=$"));
}

TEST_P(ListenerTest, AnswersPipelinedRequestsInOrder) {
  TestClient client(port_);
  client.Send(Request("/later1") + Request("/2") + Request("/later-large3") + Request("/4") +
              Request("/5", "Connection: close\r\n") + Request("/never"));
  EXPECT_THAT(client.ReadUntil("$"), EndsWith("/later1=$"));
  EXPECT_THAT(client.ReadUntil("$"), EndsWith("/2=$"));
  EXPECT_THAT(client.ReadUntil("$"), HasSubstr("/later-large3=LLL"));
  EXPECT_THAT(client.ReadUntil("$"), EndsWith("/4=$"));
  EXPECT_THAT(client.ReadAll(), EndsWith("/5=$"));
}

TEST_P(ListenerTest, ManyPipelinedRequestsNeedNoStack) {
  TestClient client(port_);
  for (int batch = 0; batch < 20; ++batch) {
    std::string requests;
    for (int i = 0; i < 1'000; ++i) requests += Request("/" + std::to_string(i));
    client.Send(requests);
    for (int i = 0; i < 1'000; ++i) {
      ASSERT_THAT(client.ReadUntil("$"), EndsWith("/" + std::to_string(i) + "=$"));
    }
  }
}

TEST_P(ListenerTest, Http10AndCloseEndTheConnection) {
  EXPECT_THAT(Exchange("GET /a HTTP/1.0\r\n\r\n"), EndsWith("/a=$"));
  EXPECT_THAT(Exchange(Request("/a", "Connection: close\r\n")),
              testing::AllOf(HasSubstr("Connection: close"), EndsWith("/a=$")));
}

TEST_P(ListenerTest, KeepsTheConnectionOfHttp10IfAsked) {
  TestClient client(port_);
  for (const std::string_view connection : {"keep-alive", "Keep-Alive", "x, keep-alive"}) {
    client.Send("POST /a HTTP/1.0\r\nContent-Length: 3\r\nConnection: " + std::string(connection) +
                "\r\n\r\nxyz");
    const std::string reply = client.ReadUntil("$");
    EXPECT_THAT(reply, HasSubstr("\r\nConnection: keep-alive\r\n"));
    EXPECT_THAT(reply, EndsWith("\r\n\r\n/a=xyz$"));
  }
  client.Send("GET /b HTTP/1.1\r\nHost: x\r\n\r\nGET /c HTTP/1.0\r\n\r\n");
  EXPECT_THAT(client.ReadUntil("$"), Not(HasSubstr("Connection:")));
  EXPECT_THAT(client.ReadAll(), testing::AllOf(HasSubstr("Connection: close"), EndsWith("/c=$")));
}

TEST_P(ListenerTest, Http10EndsUnlessItAsksToStay) {
  for (const std::string_view header :
       {"", "Connection: close\r\n", "Connection: x\r\n", "Proxy-Connection: keep-alive\r\n",
        "Connection: keep-alive, close\r\n", "Connection: close\r\nConnection: keep-alive\r\n",
        "Keep-Alive: timeout=5\r\n"}) {
    EXPECT_THAT(Exchange("GET /a HTTP/1.0\r\n" + std::string(header) + "\r\n"),
                testing::AllOf(HasSubstr("Connection: close"), EndsWith("/a=$")))
        << header;
  }
}

TEST_P(ListenerTest, HeadHasTheLengthWithoutTheBody) {
  EXPECT_THAT(Exchange("HEAD /a HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"),
              testing::AllOf(HasSubstr("Content-Length: 4\r\n"), EndsWith("\r\n\r\n")));
}

TEST_P(ListenerTest, LargeBodiesArriveWhole) {
  const std::string body(3'000'000, 'b');
  TestClient client(port_);
  client.Send(Request("/a", "Content-Length: 3000000\r\n", body));
  EXPECT_THAT(client.ReadUntil("$"), EndsWith("/a=" + body + "$"));
  client.Send(Request("/b", "Transfer-Encoding: chunked\r\n"));
  for (int i = 0; i < 30; ++i) client.Send("186A0\r\n" + body.substr(0, 100'000) + "\r\n");
  client.Send("0\r\n\r\n");
  EXPECT_THAT(client.ReadUntil("$"), EndsWith("/b=" + body + "$"));
}

TEST_P(ListenerTest, BodiesMayArriveByteByByte) {
  const std::string requests =
      Request("/a", "Content-Length: 3\r\n", "xyz") +
      Request("/b", "Transfer-Encoding: chunked\r\n", "2;name=value\r\nab\r\n1\r\nc\r\n0\r\n\r\n") +
      Request("/c", "Connection: close\r\n");
  TestClient client(port_);
  for (const char c : requests) client.Send(std::string_view(&c, 1));
  EXPECT_THAT(client.ReadUntil("$"), EndsWith("/a=xyz$"));
  EXPECT_THAT(client.ReadUntil("$"), EndsWith("/b=abc$"));
  EXPECT_THAT(client.ReadAll(), EndsWith("/c=$"));
}

TEST_P(ListenerTest, ExpectationsAreMetBeforeTheBody) {
  TestClient client(port_);
  client.Send(Request("/a", "Expect: 100-continue\r\nContent-Length: 2\r\n"));
  EXPECT_EQ(client.ReadUntil("\r\n\r\n"), "HTTP/1.1 100 Continue\r\n\r\n");
  client.Send("ok");
  EXPECT_THAT(client.ReadUntil("$"), EndsWith("/a=ok$"));
  client.Send(Request("/refused", "Expect: 100-continue\r\nContent-Length: 2\r\n"));
  EXPECT_THAT(client.ReadAll(), EndsWith("ROUTE_NOT_FOUND"));
}

struct BadRequest {
  std::string name;
  std::string bytes;
  std::string verdict;
};

void PrintTo(const BadRequest& request, std::ostream* out) { *out << request.name; }

class BadRequestTest : public ListenerFixture, public testing::WithParamInterface<BadRequest> {};

TEST_P(BadRequestTest, IsAnsweredAndTheConnectionClosed) {
  const std::string reply = Exchange(GetParam().bytes);
  EXPECT_THAT(reply, StartsWith("HTTP/1.1 400 "));
  EXPECT_THAT(reply, HasSubstr("\r\nConnection: close\r\n"));
  EXPECT_THAT(reply, EndsWith("\r\n\r\n" + GetParam().verdict));
}

std::vector<BadRequest> BadRequests() {
  const std::string chunked = "Transfer-Encoding: chunked\r\n";
  std::string one_byte_chunks;
  for (int i = 0; i < 500'000; ++i) one_byte_chunks += "1\r\nx\r\n";
  std::string extensions;
  for (int i = 0; i < 200; ++i) extensions += "1;a=bcdefg\r\nx\r\n";
  return {
      {"Garbage", "\x16\x03\x01garbage\r\n\r\n", "MALFORMED_REQUEST"},
      {"TwoLengths", Request("/", "Content-Length: 1\r\nContent-Length: 1\r\n", "x"),
       "MALFORMED_REQUEST"},
      {"LengthAndChunks", Request("/", "Content-Length: 1\r\n" + chunked, "0\r\n\r\n"),
       "MALFORMED_REQUEST"},
      {"ConnectionValue", Request("/", "Connection: @\r\n"), "MALFORMED_REQUEST"},
      {"ChunkSize", Request("/", chunked, "xyz\r\nabc\r\n"), "MALFORMED_REQUEST"},
      {"ChunkSizeWithPrefix", Request("/", chunked, "0x3\r\nabc\r\n0\r\n\r\n"),
       "MALFORMED_REQUEST"},
      {"ChunkSizeWithSign", Request("/", chunked, "+3\r\nabc\r\n0\r\n\r\n"), "MALFORMED_REQUEST"},
      {"ChunkSizeOverflow", Request("/", chunked, "FFFFFFFFFFFFFFFFF\r\n"), "MALFORMED_REQUEST"},
      {"ChunkWithBareLf", Request("/", chunked, "3\nabc\n0\n\n"), "MALFORMED_REQUEST"},
      {"ChunkTooLong", Request("/", chunked, "3\r\nabcd\r\n0\r\n\r\n"), "MALFORMED_REQUEST"},
      {"EndlessChunkHeader", Request("/", chunked, "1;" + std::string(40'000, 'a')),
       "MALFORMED_REQUEST"},
      {"ChunkExtensions", Request("/", chunked, extensions), "MALFORMED_REQUEST"},
      {"OneByteChunks", Request("/", chunked, one_byte_chunks), "MALFORMED_REQUEST"},
      {"Trailers", Request("/", chunked, "1\r\na\r\n0\r\nHost: evil\r\n\r\n"), "MALFORMED_REQUEST"},
      {"LengthAboveLimit", Request("/", "Content-Length: 5000000\r\n", std::string(5'000'000, 'x')),
       "PAYLOAD_TOO_LARGE"},
      {"ChunksAboveLimit",
       Request("/", chunked, "4C4B40\r\n" + std::string(5'000'000, 'x') + "\r\n0\r\n\r\n"),
       "PAYLOAD_TOO_LARGE"},
      {"Expectation", Request("/", "Expect: more\r\nContent-Length: 1\r\n", "x"),
       "EXPECTATION_FAILED"},
  };
}

INSTANTIATE_TEST_SUITE_P(Requests, BadRequestTest, testing::ValuesIn(BadRequests()),
                         [](const auto& info) { return info.param.name; });

TEST_P(ListenerTest, SlowCallersAreCutOff) {
  EXPECT_TRUE(WithTimeEnough(milliseconds(300), [&](milliseconds time) {
    const std::int64_t ms = time.count();
    listener_.reset();
    StartWith({.header_timeout_ms = ms, .body_timeout_ms = ms, .idle_timeout_ms = ms});
    TestClient silent(port_);
    TestClient slow_head(port_);
    slow_head.Send("GET / HT");
    TestClient slow_body(port_);
    slow_body.Send(Request("/", "Content-Length: 10\r\n", "x"));
    TestClient unfulfilled(port_);
    unfulfilled.Send(Request("/", "Expect: 100-continue\r\nContent-Length: 10\r\n"));
    TestClient idle(port_);
    idle.Send(Request("/"));
    EXPECT_EQ(silent.ReadAll(), "");
    const bool sent_in_time = slow_head.ReadAll().ends_with("REQUEST_TIMEOUT") &&
                              slow_body.ReadAll().ends_with("REQUEST_TIMEOUT") &&
                              unfulfilled.ReadAll().ends_with("REQUEST_TIMEOUT");
    return sent_in_time && idle.ReadAll().ends_with("/=$");
  }));
}

TEST_P(ListenerTest, ACallerThatDoesNotReadIsCutOff) {
  listener_.reset();
  StartWith({.write_timeout_ms = 300});
  EXPECT_TRUE(WithTimeEnough(milliseconds(1'200), [&](milliseconds time) {
    TestClient client(port_);
    client.Send(Request("/large"));
    std::this_thread::sleep_for(time);
    return client.ReadAll().size() < 8U << 20;
  }));
}

TEST_P(ListenerTest, NewConnectionsTakeThePlaceOfIdleOnes) {
  listener_.reset();
  StartWith({.connections_per_peer_max = 8}, 1);
  TestClient busy(port_);
  busy.Send(Request("/later"));
  std::vector<std::unique_ptr<TestClient>> idle;
  for (int i = 0; i < 100; ++i) {
    idle.push_back(std::make_unique<TestClient>(port_));
    if (i % 2 == 0) idle.back()->Send("GET / HTTP/1.1\r\n");
  }
  TestClient late(port_);
  late.Send(Request("/late"));
  EXPECT_THAT(late.ReadUntil("$"), EndsWith("/late=$"));
  EXPECT_THAT(busy.ReadUntil("$"), EndsWith("/later=$"));
  EXPECT_EQ(idle.front()->ReadAll(), "");
}

TEST_P(ListenerTest, ShutdownAnswersWhatWasSent) {
  TestClient working(port_);
  working.Send(Request("/later"));
  TestClient idle(port_);
  idle.Send(Request("/"));
  idle.ReadUntil("$");
  TestClient accepted(port_);
  accepted.Send(Request("/accepted"));
  EXPECT_TRUE(listener_->Shutdown(SteadyClock::now() + std::chrono::seconds(30)));
  EXPECT_THAT(working.ReadAll(), EndsWith("/later=$"));
  EXPECT_THAT(accepted.ReadAll(), EndsWith("/accepted=$"));
  EXPECT_EQ(idle.ReadAll(), "");
}

TEST_P(ListenerTest, ShutdownCutsOffAtItsDeadline) {
  TestClient client(port_);
  client.Send(Request("/", "Expect: 100-continue\r\nContent-Length: 10\r\n"));
  EXPECT_THAT(client.ReadUntil("\r\n\r\n"), HasSubstr("100"));
  EXPECT_FALSE(listener_->Shutdown(SteadyClock::now() + milliseconds(50)));
  EXPECT_EQ(client.ReadAll(), "");
}

TEST(SocketsTest, AnAddressIsTakenOnce) {
  const net::ListeningSockets first = net::OpenListeningSockets("127.0.0.1", 0, 3).value();
  EXPECT_EQ(first.fds.size(), 3);
  EXPECT_EQ(net::OpenListeningSockets("127.0.0.1", first.port, 2).status().reason(),
            Reason::kAddressInUse);
  EXPECT_EQ(net::OpenListeningSockets("example.com", 0, 1).status().field(), "host");
}

/// The body of a reply in chunks, which ends `reply`; nothing where it is not well formed.
std::optional<std::string> OfChunks(std::string_view reply) {
  reply.remove_prefix(std::min(reply.find("\r\n\r\n") + 4, reply.size()));
  std::string body;
  while (true) {
    const std::size_t line_end = reply.find("\r\n");
    if (line_end == std::string_view::npos) return std::nullopt;
    const std::size_t size = std::stoul(std::string(reply.substr(0, line_end)), nullptr, 16);
    reply.remove_prefix(line_end + 2);
    if (reply.size() < size + 2 || reply.substr(size, 2) != "\r\n") return std::nullopt;
    if (size == 0) return reply.size() == 2 ? std::optional(body) : std::nullopt;
    body += reply.substr(0, size);
    reply.remove_prefix(size + 2);
  }
}

TEST_P(ListenerTest, SendsABodyInPiecesAsItComes) {
  for (const std::string_view target : {"/stream", "/stream/large"}) {
    TestClient client(port_);
    client.Send(Request(target) + Request("/next", "Connection: close\r\n"));
    const std::string reply = client.ReadUntil("\r\n0\r\n\r\n");
    EXPECT_THAT(reply, HasSubstr("Content-Type: text/plain\r\nTransfer-Encoding: chunked\r\n"));
    EXPECT_THAT(reply, Not(HasSubstr("Content-Length")));
    std::optional<std::string> body = OfChunks(reply);
    ASSERT_TRUE(body.has_value()) << target;
    std::erase(*body, 'L');
    EXPECT_EQ(*body, "0;1;2;3;4;5;6;7;8;9;$");
    EXPECT_THAT(client.ReadAll(), EndsWith("/next=$"));
  }
}

std::string WithoutPadding(std::string body) {
  std::erase(body, 'L');
  return body;
}

TEST_P(ListenerTest, SendsABodyThatIsMadeMeanwhile) {
  for (const std::string_view target : {"/source", "/source/large"}) {
    TestClient client(port_);
    client.Send(Request(target) + Request("/next") + Request(target) +
                Request("/last", "Connection: close\r\n"));
    for (const std::string_view next : {"/next=$", "/last=$"}) {
      const std::string reply = client.ReadUntil("\r\n0\r\n\r\n");
      EXPECT_THAT(reply, HasSubstr("\r\nTransfer-Encoding: chunked\r\n"));
      EXPECT_THAT(reply, Not(HasSubstr("Content-Length")));
      const std::optional<std::string> body = OfChunks(reply);
      ASSERT_TRUE(body.has_value()) << target;
      EXPECT_EQ(WithoutPadding(*body), "0;1;2;3;4;5;6;7;8;9;");
      EXPECT_THAT(client.ReadUntil("$"), EndsWith(next));
    }
  }
}

TEST_P(ListenerTest, TellsTheLengthOfABodyThatIsMadeMeanwhileIfItIsKnown) {
  TestClient client(port_);
  client.Send(Request("/source/length/large") + Request("/next", "Connection: close\r\n"));
  const std::string both = client.ReadAll();
  EXPECT_THAT(both, HasSubstr("\r\nContent-Length: " + std::to_string(10 * (kLargePiece + 2))));
  EXPECT_THAT(both, Not(HasSubstr("chunked")));
  EXPECT_THAT(WithoutPadding(both), HasSubstr("\r\n\r\n0;1;2;3;4;5;6;7;8;9;HTTP/1.1 200 OK"));
  EXPECT_THAT(both, EndsWith("/next=$"));
}

TEST_P(ListenerTest, FramesABodyThatIsMadeMeanwhileForHttp10AndHead) {
  const std::string stays = "Host: localhost\r\nConnection: keep-alive\r\n\r\n";
  const std::string unknown = Exchange("POST /source/large HTTP/1.0\r\n" + stays);
  EXPECT_THAT(unknown, HasSubstr("Connection: close"));
  EXPECT_THAT(unknown, Not(HasSubstr("chunked")));
  EXPECT_THAT(WithoutPadding(unknown), EndsWith("\r\n\r\n0;1;2;3;4;5;6;7;8;9;"));
  const std::string known =
      Exchange("POST /source/length HTTP/1.0\r\n" + stays + "GET /last HTTP/1.0\r\n\r\n");
  EXPECT_THAT(known, HasSubstr("Content-Length: 20\r\nConnection: keep-alive"));
  EXPECT_THAT(known, HasSubstr("8;9;HTTP/1.1 200 OK"));
  const std::string head = Exchange("HEAD /source/length HTTP/1.1\r\nHost: x\r\n\r\n" +
                                    Request("/last", "Connection: close\r\n"));
  EXPECT_THAT(head, HasSubstr("Content-Length: 20\r\n\r\nHTTP/1.1 200 OK"));
}

// The kernel takes some megabytes before the caller has read anything.
TEST_P(ListenerTest, MakesNoMoreOfABodyThanTheSocketTakes) {
  TestClient client(port_);
  client.Send(Request("/source/endless/large"));
  client.ReadUntil("9;");
  int before = -1;
  EXPECT_TRUE(Eventually([&] { return std::exchange(before, handler_->pieces()) == before; }));
  EXPECT_EQ(handler_->sources(), 1);
  EXPECT_LT(handler_->pieces(), (64 << 20) / static_cast<int>(kLargePiece));
}

TEST_P(ListenerTest, DropsABodyWhoseReaderGoesAwayOrStalls) {
  listener_.reset();
  Limits limits;
  limits.write_timeout_ms = 300;
  StartWith(limits);
  TestClient stalls(port_);
  stalls.Send(Request("/source/endless/large"));
  {
    TestClient away(port_);
    away.Send(Request("/source/endless"));
    away.ReadUntil("100;");
  }
  EXPECT_TRUE(Eventually([&] { return handler_->sources() == 0 && handler_->pieces() > 100; }));
}

TEST_P(ListenerTest, ADrainLetsALargeBodyEndAndItsDeadlineCutsIt) {
  TestClient ends(port_);
  ends.Send(Request("/source/large"));
  ends.ReadUntil("0;");
  TestClient endless(port_);
  endless.Send(Request("/source/endless/large"));
  endless.ReadUntil("0;");
  std::thread reader([&] { EXPECT_THAT(ends.ReadAll(), EndsWith("\r\n0\r\n\r\n")); });
  EXPECT_FALSE(listener_->Shutdown(SteadyClock::now() + milliseconds(3000)));
  reader.join();
  listener_.reset();
  EXPECT_EQ(handler_->sources(), 0);
}

TEST_P(ListenerTest, SendsPiecesToHttp10UntilTheConnectionEnds) {
  const std::string reply =
      Exchange("POST /stream HTTP/1.0\r\nHost: localhost\r\nConnection: keep-alive\r\n\r\n");
  EXPECT_THAT(reply, HasSubstr("Connection: close"));
  EXPECT_THAT(reply, Not(HasSubstr("chunked")));
  EXPECT_THAT(reply, EndsWith("\r\n\r\n0;1;2;3;4;5;6;7;8;9;$"));
}

TEST_P(ListenerTest, StopsAStreamWhoseReaderGoesAwayOrStalls) {
  listener_.reset();
  Limits limits;
  limits.write_timeout_ms = 300;
  StartWith(limits);
  {
    TestClient away(port_);
    away.Send(Request("/stream/endless"));
    away.ReadUntil("100;");
  }
  TestClient stalls(port_);
  stalls.Send(Request("/stream/endless/large"));
  ASSERT_TRUE(Eventually([&] { return handler_->gone() == 2; }));
  EXPECT_THAT(stalls.ReadAll(), Not(HasSubstr("$")));
}

TEST_P(ListenerTest, ADrainLetsAStreamEndAndItsDeadlineCutsIt) {
  TestClient ends(port_);
  ends.Send(Request("/stream/large"));
  ends.ReadUntil("0;");
  TestClient endless(port_);
  endless.Send(Request("/stream/endless"));
  endless.ReadUntil("0;");
  std::thread reader([&] { EXPECT_THAT(ends.ReadAll(), EndsWith("$\r\n0\r\n\r\n")); });
  EXPECT_FALSE(listener_->Shutdown(SteadyClock::now() + milliseconds(3000)));
  reader.join();
  listener_.reset();
  EXPECT_TRUE(Eventually([&] { return handler_->gone() == 1; }));
}

}  // namespace
}  // namespace mlos::api::http::wire
