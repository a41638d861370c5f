// SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>

#include "api/http/guard/head_guard.h"
#include "api/http/wire/connection_host.h"
#include "api/http/wire/handler.h"
#include "api/http/wire/outbox.h"
#include "api/http/wire/request_parser.h"
#include "base/clock.h"

namespace mlos::api::http::wire {

/// One connection of a caller: reads requests, has them handled one after the other, and writes the
/// replies in order. Small replies to pipelined requests leave together.
///
/// A state machine: `Run` takes steps until something has to come first, and whatever comes (bytes,
/// room to write, a reply) calls it again. Everything but Send and Wake happens on the thread of
/// the event loop. It lives until it is closed and no operation or Responder holds it.
class Connection final : public WaitingConnection, public std::enable_shared_from_this<Connection> {
 public:
  Connection(std::shared_ptr<ConnectionHost> loop, net::Stream stream,
             boost::asio::ip::address peer);

  void Start() override;
  /// Sends the reply to request `number`; dropped where that is no longer waited for. From any
  /// thread.
  void Send(std::uint64_t number, Reply reply);
  /// The same, on the thread of the event loop.
  void OnReply(std::uint64_t number, Reply reply);
  /// Looks at the stream of the reply to request `number`. From any thread.
  void Wake(std::uint64_t number);
  /// The same, on the thread of the event loop.
  void OnWake(std::uint64_t number);

  bool OnEventThread() const;

  void OnTick(SteadyClock::time_point now) override;
  /// Closes now where no request is under way, after the reply otherwise.
  void Drain() override;
  void Close() override;
  void Leave() override;
  bool has_asked() const override { return request_number_ != 0; }

 private:
  enum class State : std::uint8_t {
    kHead,       ///< waits for a head, or reads one
    kBody,       ///< reads a body
    kLeaving,    ///< writes the replies to earlier requests, then goes to another loop
    kHandling,   ///< waits for the reply
    kReplying,   ///< writes a large reply
    kStreaming,  ///< writes a reply as it comes
    kLastReply,  ///< writes what is left, then ends
    kLingering,  ///< throws away what the caller still sends, so that it sees the reply
    kClosed,
  };

  void Run();
  bool Step();
  bool StepHead();
  bool StepLeaving();
  bool StepBody();
  bool StepStream();
  bool StepLastReply();

  bool BeginRequest(std::size_t head_bytes);
  /// False where the request was answered by its head alone.
  bool Admit(RequestHead& head);
  void ExpectBody(const RequestHead& head, std::uint64_t body_bytes_max);
  bool Dispatch();
  void Refuse(const Status& status);
  void Answer(Reply reply);
  void EndStream();
  void AwaitHead();

  /// Notices while a request is handled that its caller goes away.
  void WatchCaller();
  void OnReadError(const boost::system::error_code& error);
  void ReportCallerGone();
  void Read(char* into, std::size_t size_max);
  void OnRead(std::size_t count);
  /// True where a body of known length is received where it stays.
  bool ReadsInPlace() const;
  void OnBodyBytes(std::size_t count);
  /// False where there is no memory to read into, and the request has been refused.
  bool ReadHead();
  bool ReadBody();
  void Linger();
  void ReadAway();
  /// True once everything is written.
  bool Write();
  void WaitWritable();

  // Declared first, so that it dies last: the stream belongs to its io_context.
  const std::shared_ptr<ConnectionHost> loop_;
  net::Stream stream_;
  std::string local_address_;
  /// Keeps it alive until it is closed.
  std::shared_ptr<Connection> self_;

  State state_ = State::kHead;
  bool running_ = false;
  bool reading_ = false;  ///< an operation reads
  bool writing_ = false;  ///< an operation waits until the socket takes more
  bool draining_ = false;
  Deadline read_deadline_ = kNoDeadline;
  Deadline write_deadline_ = kNoDeadline;

  // The request being read or handled.
  guard::HeadGuard guard_;
  std::optional<RequestParser> parser_;
  std::shared_ptr<Exchange> exchange_;
  /// The one being handled, whose end is not ours to put off.
  std::weak_ptr<Exchange> handled_;
  Verb verb_ = Verb::unknown;
  bool http11_ = true;
  bool keep_alive_ = true;
  bool body_unread_ = false;
  bool continue_awaited_ = false;
  std::uint64_t request_number_ = 0;
  net::ByteBuffer received_;
  net::ByteBuffer body_;
  std::size_t body_mark_ = 0;  ///< size of the body when the deadline was set
  unsigned reads_in_a_row_ = 0;
  std::size_t body_bytes_before_ = 0;  ///< of the request before

  Outbox outbox_;
  std::size_t write_mark_ = 0;  ///< bytes written since the deadline was set
  /// What is written while it comes; whoever makes it sees the end of it.
  std::shared_ptr<BodyStream> pieces_;
  BodyEnd body_end_ = BodyEnd::kLength;
};

}  // namespace mlos::api::http::wire
