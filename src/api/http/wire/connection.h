// SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>
#include <memory>
#include <string>

#include "api/http/wire/connection_host.h"
#include "api/http/wire/handler.h"
#include "api/http/wire/outbox.h"
#include "api/http/wire/request_reader.h"
#include "base/clock.h"
#include "net/progress_deadline.h"
#include "resource/accounts.h"

namespace mlos::api::http::wire {

/// One connection of a caller: reads requests, has them handled one after the other, and writes the
/// replies in order. Small replies to pipelined requests leave together.
///
/// A state machine: `Run` takes steps until something has to come first, and whatever comes (bytes,
/// room to write, a reply) calls it again. While the connection is open:
///
///     kHead ──head──► kBody ──body──► kHandling ──┬─ small reply ──────────────────► kHead
///       │ └───────no body────────────────▲        ├─ large reply ──► kReplying ────► kHead
///       │                                         ├─ a stream ► kStreaming ────► kReplying
///       │                                         └─ last reply ──► kLastReply ──► Linger, Close
///       └── not answered by this loop ──► kLeaving ──► HandOver
///
/// A request that is refused, or comes too slowly, goes straight to its reply. A reply is the last
/// if the caller wants that, if the server drains, or if part of the request was left unread.
///
/// Everything but Send, Wake and OnEventThread happens on the thread of the event loop.
class Connection final : public WaitingConnection {
 public:
  Connection(ConnectionHost& loop, net::Stream stream, boost::asio::ip::address peer);

  void Start() override;
  /// Sends the reply to request `number`; dropped where that is no longer waited for. From any
  /// thread.
  void Send(std::uint64_t number, Reply&& reply);
  /// Looks at the stream of the reply to request `number`. From any thread.
  void Wake(std::uint64_t number);
  bool OnEventThread() const { return loop_.RunsHere(); }

  void Leave() override;
  bool has_asked() const override { return request_number_ != 0; }

 private:
  enum class State : std::uint8_t {
    kHead,       ///< waits for a head, or reads one
    kBody,       ///< reads a body
    kHandling,   ///< waits for the reply
    kReplying,   ///< writes a large reply
    kStreaming,  ///< writes a reply as it comes
    kLastReply,  ///< writes what is left, then ends
    kLeaving,    ///< writes the replies to earlier requests, then goes to another loop
  };

  void OnOpen() override;
  void OnRead(std::size_t count) override;
  void OnReadError(const ErrorCode& error) override;
  void OnWritable() override { Run(); }
  void CheckDeadlines(SteadyClock::time_point now) override;
  /// Closes now where no request is under way, after the reply otherwise.
  void OnDrain() override;
  bool OpenAwaitsPeer() const override;
  void OnClose() override;

  void Run();
  // Each takes one step, and returns false where something has to come before the next.
  bool Step();
  bool StepHead();
  bool StepBody();
  bool StepReply();
  bool StepStream();
  bool StepLastReply();
  bool StepLeaving();

  // A request, in the order of its life.
  void AwaitHead();
  void Begin(const Status& head_read);
  void Admit(RequestHead& head);
  void Dispatch();
  void OnReply(std::uint64_t number, Reply&& reply);
  void Refuse(const Status& status);
  void Answer(Reply&& reply);
  void EndStream();
  /// Writes what is left of the reply. True once all of it is sent.
  bool SendReply();
  /// Goes on with the body that `source_` makes.
  void AddPiece();

  /// Reads into `room`. True where that is done already.
  bool Receive(RequestReader::Room room);
  void Commit(std::size_t count);
  /// Notices while a request is handled that its caller goes away.
  void WatchCaller();
  void ReportCallerGone();

  /// The reply is not yet complete, and whoever makes it wants to know if the caller goes away.
  bool at_work() const { return state_ == State::kHandling || state_ == State::kStreaming; }
  std::shared_ptr<Connection> Self() {
    return std::static_pointer_cast<Connection>(shared_from_this());
  }

  ConnectionHost& loop_;
  const resource::Accounts::Lease account_;
  std::string local_address_;

  State state_ = State::kHead;
  bool running_ = false;
  net::ProgressDeadline read_deadline_;

  // The request being read or handled.
  RequestReader reader_;
  unsigned reads_in_a_row_ = 0;
  std::shared_ptr<Exchange> exchange_;
  /// The one being handled, whose end is not ours to put off.
  std::weak_ptr<Exchange> handled_;
  Verb verb_ = Verb::unknown;
  bool http11_ = true;
  bool keep_alive_ = true;
  bool body_unread_ = false;
  std::uint64_t request_number_ = 0;
  std::string_view header_lines_;  ///< of its reply; the handler's

  Outbox outbox_;
  /// Makes the body piece by piece, each once the one before is sent.
  std::unique_ptr<net::BodySource> source_;
  bool turn_follows_ = false;  ///< others have theirs before the next piece
  /// What is written while it comes; whoever makes it sees the end of it.
  std::shared_ptr<BodyStream> pieces_;
  BodyEnd body_end_ = BodyEnd::kLength;
};

}  // namespace mlos::api::http::wire
