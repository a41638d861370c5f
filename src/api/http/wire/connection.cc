// SPDX-License-Identifier: MIT
#include "api/http/wire/connection.h"

#include <algorithm>
#include <chrono>
#include <utility>

#include "api/http/guard/text.h"
#include "api/http/wire/body_stream.h"

namespace mlos::api::http::wire {
namespace {

using boost::system::error_code;

constexpr std::size_t kReadBytes = 4 << 10;  // room for a head and a small body
// At a time, into the body itself: as much again as has arrived, or as much as the body before had,
// within these.
constexpr std::size_t kBodyReadBytesMin = 64 << 10;
constexpr std::size_t kBodyReadBytesMax = 1 << 20;
constexpr std::size_t kChunkReadBytes = 16 << 10;
// Of a body, before the other connections have their turn.
constexpr unsigned kReadsInARow = 4;
// What may wait unparsed while a chunk header is still incomplete.
constexpr std::size_t kChunkHeaderBytesMax = 8 << 10;
// Replies to pipelined requests are written together up to here.
constexpr std::size_t kOutboxBytesMax = 64 << 10;
constexpr std::int64_t kLingerMs = 2'000;
constexpr std::int64_t kFirstRequestWhileDrainingMs = 500;

Deadline After(SteadyClock::time_point now, std::int64_t timeout_ms) {
  return now + std::chrono::milliseconds(timeout_ms);
}

// RFC 9110, section 10.1.1: the one expectation there is.
Status CheckExpectation(const RequestHead& head) {
  if (!head.expect || guard::EqualsIgnoreCase(*head.expect, "100-continue")) return OkStatus();
  return {Reason::kExpectationFailed, "the only expectation that can be met is 100-continue"};
}

Status CheckLength(const RequestHead& head, std::uint64_t bytes_max) {
  if (head.content_length.value_or(0) <= bytes_max) return OkStatus();
  return {Reason::kPayloadTooLarge, "the body has " + std::to_string(*head.content_length) +
                                        " bytes; " + std::to_string(bytes_max) + " are allowed"};
}

}  // namespace

Responder::Responder(std::shared_ptr<Connection> connection, std::uint64_t request_number)
    : connection_(std::move(connection)), request_number_(request_number) {}
Responder::Responder(const Responder&) = default;
Responder::Responder(Responder&&) noexcept = default;
Responder::~Responder() = default;

void Responder::Send(Reply reply) const { connection_->Send(request_number_, std::move(reply)); }

void Responder::Wake() const { connection_->Wake(request_number_); }

bool Responder::OnEventThread() const { return connection_->OnEventThread(); }

Connection::Connection(std::shared_ptr<ConnectionHost> loop, net::Stream stream,
                       boost::asio::ip::address peer)
    : WaitingConnection(std::move(peer)),
      loop_(std::move(loop)),
      stream_(std::move(stream)),
      guard_(loop_->limits().head),
      received_(loop_->handler().budget()) {}

void Connection::Start() {
  self_ = shared_from_this();
  if (loop_->listens_on_any()) local_address_ = stream_.local_address().to_string();
  if (net::ByteBuffer received = stream_.TakeReceived(); !received.empty()) {
    received_ = std::move(received);
  }
  AwaitHead();
  read_deadline_ = After(loop_->now(), loop_->limits().header_timeout_ms);
  if (!stream_.encrypted()) return Run();
  reading_ = true;
  stream_.Handshake([self = shared_from_this()](const error_code& error) {
    self->reading_ = false;
    if (error) {
      self->Close();
    } else {
      self->Run();
    }
  });
}

void Connection::Run() {
  if (running_) return;  // a reply that was given while the request was handed over
  running_ = true;
  while (Step()) {
  }
  running_ = false;
}

bool Connection::Step() {
  switch (state_) {
    case State::kHead:
      return StepHead();
    case State::kBody:
      return StepBody();
    case State::kLeaving:
      return StepLeaving();
    case State::kHandling:
      // The replies to earlier requests need not wait for this one.
      if (Write()) WatchCaller();
      return false;
    case State::kReplying:
      if (!Write()) return false;
      AwaitHead();
      return true;
    case State::kStreaming:
      return StepStream();
    case State::kLastReply:
      return StepLastReply();
    case State::kLingering:
    case State::kClosed:
      return false;
  }
  return false;
}

bool Connection::StepHead() {
  if (reading_) {
    Write();  // the read may have begun while the last request was handled
    return false;
  }
  if (outbox_.size() > kOutboxBytesMax && !Write()) return false;
  const bool started = guard_.started();
  const Result<std::size_t> head_bytes = guard_.Inspect(received_.view());
  if (!head_bytes.ok()) {
    if (!loop_->Keeps(nullptr)) {
      Leave();
    } else {
      Refuse(head_bytes.status());
    }
    return true;
  }
  if (*head_bytes != 0) return BeginRequest(*head_bytes);
  if (guard_.started() && !started) {
    read_deadline_ = After(loop_->now(), loop_->limits().header_timeout_ms);
  }
  if (!Write()) return false;
  if (draining_ && !guard_.started() && request_number_ != 0) {
    state_ = State::kLastReply;
    return true;
  }
  return !ReadHead();
}

bool Connection::BeginRequest(std::size_t head_bytes) {
  loop_->LeaveWaiting(*this);
  parser_.emplace();
  Status status = parser_->ParseHead(received_.view().substr(0, head_bytes));
  if (!loop_->Keeps(status.ok() ? &parser_->head() : nullptr)) {
    Leave();
    return true;
  }
  ++request_number_;
  if (!status.ok()) {
    Refuse(status);
    return true;
  }
  RequestHead& head = parser_->head();
  verb_ = head.verb;
  http11_ = head.http11;
  keep_alive_ = head.keep_alive;
  body_unread_ = head.has_body();
  if (!Admit(head)) return true;
  received_.Consume(head_bytes);
  if (parser_->done()) return Dispatch();
  state_ = State::kBody;
  return true;
}

bool Connection::StepLeaving() {
  if (reading_ || !Write()) return false;
  const std::shared_ptr<Connection> last = std::move(self_);
  state_ = State::kClosed;
  loop_->Remove(*this);
  loop_->HandOver(stream_.Release(), std::move(received_));
  return false;
}

bool Connection::Admit(RequestHead& head) {
  head.local_address = local_address_;
  Admission admission = loop_->handler().Admit(head);
  if (admission.refusal) {
    // The head was fine, so the connection may go on where no body follows.
    body_unread_ = body_unread_ || admission.refusal->close;
    if (!body_unread_) received_.Consume(guard_.head_bytes());
    Answer(std::move(*admission.refusal));
    return false;
  }
  exchange_ = std::move(admission.exchange);
  Status status = CheckExpectation(head);
  const std::uint64_t body_bytes_max = exchange_->body_bytes_max();
  if (status.ok()) status = CheckLength(head, body_bytes_max);
  if (!status.ok()) {
    Refuse(status);
    return false;
  }
  ExpectBody(head, body_bytes_max);
  continue_awaited_ = head.expect.has_value() && head.http11 && body_unread_;
  read_deadline_ = After(loop_->now(), loop_->limits().body_timeout_ms);
  return true;
}

void Connection::ExpectBody(const RequestHead& head, std::uint64_t body_bytes_max) {
  const std::size_t lead_bytes = exchange_->body_lead_bytes();
  body_ = net::ByteBuffer(loop_->handler().budget());
  body_.Expect(static_cast<std::size_t>(head.content_length.value_or(0)) + lead_bytes +
               net::kBodyPaddingBytes);
  for (std::size_t i = 0; i < lead_bytes; ++i) body_.Append(' ');
  body_mark_ = 0;
  parser_->ExpectBody(body_, body_bytes_max + lead_bytes);
}

bool Connection::StepBody() {
  if (reading_) return false;
  if (!received_.empty()) {
    continue_awaited_ = false;
    const Result<std::size_t> used = parser_->ParseBody(received_.view());
    if (!used.ok()) {
      Refuse(used.status());
      return true;
    }
    received_.Consume(*used);
    if (parser_->done()) return Dispatch();
    if (received_.size() > kChunkHeaderBytesMax) {
      Refuse({Reason::kMalformedRequest, "a chunk header is longer than 8192 bytes"});
      return true;
    }
  }
  if (body_.size() - body_mark_ >= kProgressBytes) {
    body_mark_ = body_.size();
    read_deadline_ = After(loop_->now(), loop_->limits().body_timeout_ms);
  }
  if (std::exchange(continue_awaited_, false)) outbox_.AddContinue();
  if (!Write()) return false;
  return !ReadBody();
}

bool Connection::Dispatch() {
  body_unread_ = false;
  if (!body_.empty() && !body_.Pad(net::kBodyPaddingBytes)) {
    Refuse(body_.status());
    return true;
  }
  state_ = State::kHandling;
  read_deadline_ = kNoDeadline;
  body_bytes_before_ = body_.size();
  const std::shared_ptr<Exchange> exchange = std::move(exchange_);
  handled_ = exchange;
  exchange->Handle(std::move(body_), Responder(shared_from_this(), request_number_));
  return true;
}

void Connection::Refuse(const Status& status) {
  loop_->LeaveWaiting(*this);
  body_unread_ = true;  // what follows cannot be told from a request any more
  const std::shared_ptr<Exchange> exchange = std::move(exchange_);
  Answer(exchange != nullptr ? exchange->Refuse(status) : loop_->handler().Refuse(status));
}

void Connection::Send(std::uint64_t number, Reply reply) {
  if (loop_->RunsHere()) {
    OnReply(number, std::move(reply));
  } else {
    loop_->Post([self = shared_from_this(), number, reply = std::move(reply)]() mutable {
      self->OnReply(number, std::move(reply));
    });
  }
}

bool Connection::OnEventThread() const { return loop_->RunsHere(); }

void Connection::OnReply(std::uint64_t number, Reply reply) {
  if (state_ != State::kHandling || number != request_number_) return;
  Answer(std::move(reply));
  Run();
}

void Connection::Wake(std::uint64_t number) {
  if (loop_->RunsHere()) {
    OnWake(number);
  } else {
    loop_->Post([self = shared_from_this(), number] { self->OnWake(number); });
  }
}

void Connection::OnWake(std::uint64_t number) {
  if (state_ == State::kStreaming && number == request_number_) Run();
}

void Connection::Answer(Reply reply) {
  pieces_ = std::move(reply.stream);
  body_end_ = BodyEnd::kLength;
  if (pieces_ != nullptr) body_end_ = http11_ ? BodyEnd::kLastChunk : BodyEnd::kConnectionClose;
  keep_alive_ = keep_alive_ && body_end_ != BodyEnd::kConnectionClose;
  const bool close = reply.close || !keep_alive_ || body_unread_ || draining_;
  outbox_.Add(std::move(reply), {loop_->date(), close, verb_ == Verb::head, body_end_});
  if (pieces_ != nullptr) {
    state_ = State::kStreaming;
    keep_alive_ = !close;
  } else if (close) {
    state_ = State::kLastReply;
    read_deadline_ = kNoDeadline;
  } else if (outbox_.has_large_body()) {
    state_ = State::kReplying;
  } else {
    AwaitHead();
  }
}

void Connection::AwaitHead() {
  state_ = State::kHead;
  guard_.Reset();
  verb_ = Verb::unknown;
  keep_alive_ = true;
  read_deadline_ = After(loop_->now(), loop_->limits().idle_timeout_ms);
  if (received_.empty() && received_.capacity() > kChunkReadBytes && !reading_) {
    received_ = net::ByteBuffer(loop_->handler().budget());
  }
  loop_->EnterWaiting(*this);
}

bool Connection::StepStream() {
  const bool full = outbox_.has_large_body() || outbox_.size() > kOutboxBytesMax;
  if (!full) {
    net::ByteBuffer piece = pieces_->Take();
    if (!piece.empty()) {
      outbox_.AddPiece(std::move(piece), body_end_);
      return true;
    }
    if (pieces_->ended()) {
      EndStream();
      return true;
    }
  }
  if (!Write()) return false;
  if (!full) WatchCaller();
  return full;
}

void Connection::EndStream() {
  outbox_.AddEnd(body_end_);
  pieces_.reset();
  handled_.reset();
  state_ = keep_alive_ && !draining_ ? State::kReplying : State::kLastReply;
}

bool Connection::StepLastReply() {
  if (!Write()) return false;
  if (body_unread_) {
    Linger();
  } else {
    Close();
  }
  return false;
}

void Connection::Read(char* into, std::size_t size_max) {
  reading_ = true;
  stream_.Read(into, size_max,
               [self = shared_from_this()](const error_code& error, std::size_t count) {
                 self->reading_ = false;
                 if (error) {
                   self->OnReadError(error);
                 } else {
                   self->OnRead(count);
                 }
               });
}

// What arrives is the next request, kept for later. A caller that has sent one already is not
// watched: its end would be read only after that request.
void Connection::WatchCaller() {
  const bool at_work = state_ == State::kHandling || state_ == State::kStreaming;
  if (reading_ || !at_work || !received_.empty()) return;
  char* room = received_.Prepare(kReadBytes);
  if (room != nullptr) Read(room, received_.capacity() - received_.size());
}

void Connection::OnReadError(const error_code& error) {
  if (state_ == State::kLeaving && error == boost::asio::error::operation_aborted) return Run();
  if (state_ == State::kHandling || state_ == State::kStreaming) {
    ReportCallerGone();
    // A caller that has only ended its side of the connection may still take the reply.
    keep_alive_ = false;
    if (error == boost::asio::error::eof) return;
  }
  const bool writing = state_ == State::kReplying || state_ == State::kLastReply;
  if (writing && error == boost::asio::error::eof) return;
  Close();
}

void Connection::ReportCallerGone() {
  if (const std::shared_ptr<Exchange> exchange = handled_.lock()) exchange->OnCallerGone();
  handled_.reset();
}

bool Connection::ReadHead() {
  char* room = received_.Prepare(kReadBytes);
  if (room == nullptr) {
    Refuse(received_.status());
    return false;
  }
  Read(room, received_.capacity() - received_.size());
  return true;
}

// A body of known length is received where it stays; chunks have to be taken apart first.
bool Connection::ReadBody() {
  const bool in_place = ReadsInPlace();
  net::ByteBuffer& target = in_place ? body_ : received_;
  const auto wanted = static_cast<std::size_t>(
      in_place ? std::min<std::uint64_t>(parser_->remaining_bytes(),
                                         std::clamp(std::max(body_.size(), body_bytes_before_),
                                                    kBodyReadBytesMin, kBodyReadBytesMax))
               : kChunkReadBytes);
  char* room = target.Prepare(wanted + net::kBodyPaddingBytes);
  if (room == nullptr) {
    Refuse(target.status());
    return false;
  }
  if (in_place && reads_in_a_row_ < kReadsInARow) {
    error_code error;
    const std::size_t count = stream_.TryRead(room, wanted, error);
    if (!error) {
      ++reads_in_a_row_;
      OnBodyBytes(count);
      return false;
    }
  }
  Read(room, wanted);
  return true;
}

void Connection::OnRead(std::size_t count) {
  reads_in_a_row_ = 0;
  if (state_ == State::kLingering) return ReadAway();
  if (ReadsInPlace()) {
    OnBodyBytes(count);
  } else if (state_ != State::kLastReply && state_ != State::kClosed) {
    received_.Commit(count);
  }
  Run();
}

bool Connection::ReadsInPlace() const {
  return state_ == State::kBody && received_.empty() && parser_->remaining_bytes() != 0;
}

void Connection::OnBodyBytes(std::size_t count) {
  const Result<std::size_t> used = parser_->ParseBody({body_.data() + body_.size(), count});
  if (!used.ok()) {
    Refuse(used.status());
  } else if (parser_->done()) {
    Dispatch();
  }
}

bool Connection::Write() {
  if (writing_) return false;
  while (!outbox_.empty()) {
    error_code error;
    const std::size_t count = stream_.Write(outbox_.buffers(), error);
    if (error == boost::asio::error::would_block) {
      WaitWritable();
      return false;
    }
    if (error) {
      Close();
      return false;
    }
    outbox_.Consume(count);
    write_mark_ += count;
  }
  write_deadline_ = kNoDeadline;
  return true;
}

void Connection::WaitWritable() {
  if (write_deadline_ == kNoDeadline || write_mark_ >= kProgressBytes) {
    write_deadline_ = After(loop_->now(), loop_->limits().write_timeout_ms);
    write_mark_ = 0;
  }
  writing_ = true;
  stream_.WaitWritable([self = shared_from_this()](const error_code& error) {
    self->writing_ = false;
    if (error) {
      self->Close();
    } else {
      self->Run();
    }
  });
}

// Closing while bytes are unread makes the kernel reset the connection, and the caller would lose
// the reply that tells it why (RFC 9112, section 9.6).
void Connection::Linger() {
  state_ = State::kLingering;
  read_deadline_ = After(loop_->now(), kLingerMs);
  stream_.EndSending();
  if (!reading_) ReadAway();
}

void Connection::ReadAway() { Read(loop_->scratch(), ConnectionHost::kScratchBytes); }

void Connection::OnTick(SteadyClock::time_point now) {
  if (now >= write_deadline_) {
    Close();
    return;
  }
  if (now < read_deadline_) return;
  if (state_ == State::kBody || (state_ == State::kHead && guard_.started())) {
    Refuse({Reason::kRequestTimeout, "the request did not arrive in time"});
    Run();
  } else {
    Close();
  }
}

void Connection::Drain() {
  draining_ = true;
  if (state_ != State::kHead || guard_.started()) return;
  if (request_number_ == 0) {
    read_deadline_ = After(loop_->now(), kFirstRequestWhileDrainingMs);
  } else if (!stream_.has_unread() && outbox_.empty()) {
    Close();
  }
}

// What a cancelled read has read already is kept.
void Connection::Leave() {
  const auto self = shared_from_this();
  loop_->LeaveWaiting(*this);
  state_ = State::kLeaving;
  if (reading_) {
    stream_.Cancel();
  } else {
    Run();
  }
}

void Connection::Close() {
  if (state_ == State::kClosed) return;
  if (state_ == State::kHandling || state_ == State::kStreaming) ReportCallerGone();
  state_ = State::kClosed;
  pieces_.reset();
  loop_->LeaveWaiting(*this);
  loop_->Remove(*this);
  stream_.Close();
  const std::shared_ptr<Connection> last = std::move(self_);
}

}  // namespace mlos::api::http::wire
