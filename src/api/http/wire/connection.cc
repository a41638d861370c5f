// SPDX-License-Identifier: MIT
#include "api/http/wire/connection.h"

#include <utility>

#include "api/http/guard/text.h"
#include "api/http/wire/body_stream.h"

namespace mlos::api::http::wire {
namespace {

// Of a body, before the other connections have their turn.
constexpr unsigned kReadsInARow = 4;
// Replies to pipelined requests are written together up to here.
constexpr std::size_t kOutboxBytesMax = 64 << 10;

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

Status NoDescriptor() {
  return {Reason::kOverloaded, "Core has no file descriptor left; only health checks are answered"};
}

/// The bytes of its body; nothing where they are known only once all of it was made.
std::optional<std::uint64_t> LengthOf(const Reply& reply, const BodyStream* stream,
                                      const net::BodySource* source) {
  if (stream != nullptr) return std::nullopt;
  return source != nullptr ? source->length() : std::optional(reply.body.size());
}

}  // namespace

Responder::Responder(std::shared_ptr<Connection> connection, std::uint64_t request_number)
    : connection_(std::move(connection)), request_number_(request_number) {}
Responder::Responder(const Responder&) = default;
Responder::Responder(Responder&&) noexcept = default;
Responder::~Responder() = default;

void Responder::Send(Reply&& reply) const { connection_->Send(request_number_, std::move(reply)); }

void Responder::Wake() const { connection_->Wake(request_number_); }

bool Responder::OnEventThread() const { return connection_->OnEventThread(); }

Connection::Connection(ConnectionHost& loop, net::Stream stream, boost::asio::ip::address peer)
    : WaitingConnection(loop, std::move(stream), std::move(peer),
                        {.opening_ms = loop.limits().header_timeout_ms,
                         .write_ms = loop.limits().write_timeout_ms}),
      loop_(loop),
      account_(loop.handler().accounts().Open(this->peer().to_string())),
      reader_(loop.limits().head, account_.budget()) {}

void Connection::Start() {
  if (loop_.listens_on_any()) local_address_ = stream().local_address().to_string();
  if (net::ByteBuffer received = TakeReceived(); !received.empty()) {
    reader_.received() = std::move(received);
  }
  AwaitHead();
  net::StreamConnection::Start();
}

void Connection::OnOpen() {
  read_deadline_.Start(loop_.now(),
                       draining() ? kSilenceWhileDrainingMs : loop_.limits().header_timeout_ms);
  Run();
}

void Connection::Run() {
  if (running_) return;  // a reply that was given while the request was handed over
  running_ = true;
  while (open() && Step()) {
  }
  running_ = false;
}

bool Connection::Step() {
  switch (state_) {
    case State::kHead:
      return StepHead();
    case State::kBody:
      return StepBody();
    case State::kHandling:
      // The replies to earlier requests need not wait for this one.
      if (Write(outbox_)) WatchCaller();
      return false;
    case State::kReplying:
      return StepReply();
    case State::kStreaming:
      return StepStream();
    case State::kLastReply:
      return StepLastReply();
    case State::kLeaving:
      return StepLeaving();
  }
  return false;
}

void Connection::AwaitHead() {
  state_ = State::kHead;
  reader_.Next();
  verb_ = Verb::unknown;
  keep_alive_ = true;
  read_deadline_.Start(loop_.now(), loop_.limits().idle_timeout_ms);
  loop_.EnterWaiting(*this);
}

bool Connection::StepHead() {
  if (reading()) {
    Write(outbox_);  // the read may have begun while the last request was handled
    return false;
  }
  if (outbox_.size() > kOutboxBytesMax && !Write(outbox_)) return false;
  const bool started = reader_.started();
  const Result<bool> whole = reader_.ReadHead();
  if (!whole.ok() || *whole) {
    Begin(whole.status());
    return true;
  }
  if (reader_.started() && !started) {
    read_deadline_.Start(loop_.now(), loop_.limits().header_timeout_ms);
  }
  if (!Write(outbox_)) return false;
  if (draining() && !reader_.started() && request_number_ != 0) {
    state_ = State::kLastReply;
    return true;
  }
  return Receive(reader_.RoomForHead());
}

void Connection::Begin(const Status& head_read) {
  RequestHead* const head = head_read.ok() ? &reader_.head() : nullptr;
  const Keeping keeping = loop_.Keeps(head);
  if (keeping == Keeping::kNo) return Leave();
  loop_.LeaveWaiting(*this);
  ++request_number_;
  header_lines_ = {};
  if (head == nullptr) return Refuse(head_read);
  verb_ = head->verb;
  http11_ = head->http11;
  keep_alive_ = head->keep_alive;
  body_unread_ = head->has_body();
  header_lines_ = loop_.handler().HeaderLinesFor(*head);
  head->local_address = local_address_;
  if (keeping == Keeping::kInNeed) keep_alive_ = false;
  if (keeping == Keeping::kInNeed && !loop_.handler().IsHealthCheck(*head)) {
    return Answer(loop_.handler().Refuse(NoDescriptor()));
  }
  Admit(*head);
}

void Connection::Admit(RequestHead& head) {
  Admission admission = loop_.handler().Admit(head, account_.budget());
  if (admission.refusal) {
    // The head was fine, so the connection may go on where no body follows.
    body_unread_ = body_unread_ || admission.refusal->close;
    reader_.EndHead();
    return Answer(std::move(*admission.refusal));
  }
  exchange_ = std::move(admission.exchange);
  Status status = CheckExpectation(head);
  const std::uint64_t body_bytes_max = exchange_->body_bytes_max();
  if (status.ok()) status = CheckLength(head, body_bytes_max);
  if (!status.ok()) return Refuse(status);
  reader_.ExpectBody(exchange_->body_lead_bytes(), body_bytes_max);
  const bool continue_awaited = head.expect.has_value() && head.http11;
  reader_.EndHead();
  if (reader_.whole()) return Dispatch();
  if (continue_awaited && reader_.received().empty()) outbox_.AddContinue();
  read_deadline_.Start(loop_.now(), loop_.limits().body_timeout_ms);
  state_ = State::kBody;
}

bool Connection::StepBody() {
  if (reading()) return false;
  if (const Status read = reader_.ReadBody(); !read.ok()) {
    Refuse(read);
    return true;
  }
  if (reader_.whole()) {
    Dispatch();
    return true;
  }
  read_deadline_.Watch(loop_.now(), loop_.limits().body_timeout_ms, reader_.body_bytes());
  return Write(outbox_) && Receive(reader_.RoomForBody());
}

void Connection::Dispatch() {
  body_unread_ = false;
  if (const Status finished = reader_.FinishBody(); !finished.ok()) return Refuse(finished);
  state_ = State::kHandling;
  read_deadline_.Stop();
  const std::shared_ptr<Exchange> exchange = std::move(exchange_);
  handled_ = exchange;
  exchange->Handle(reader_.TakeBody(), Responder(Self(), request_number_));
}

void Connection::Send(std::uint64_t number, Reply&& reply) {
  if (loop_.RunsHere()) return OnReply(number, std::move(reply));
  loop_.Post([self = Self(), number, reply = std::move(reply)]() mutable {
    self->OnReply(number, std::move(reply));
  });
}

void Connection::OnReply(std::uint64_t number, Reply&& reply) {
  if (!open() || state_ != State::kHandling || number != request_number_) return;
  Answer(std::move(reply));
  Run();
}

void Connection::Refuse(const Status& status) {
  loop_.LeaveWaiting(*this);
  body_unread_ = true;  // what follows cannot be told from a request any more
  const std::shared_ptr<Exchange> exchange = std::move(exchange_);
  Answer(exchange != nullptr ? exchange->Refuse(status) : loop_.handler().Refuse(status));
}

void Connection::Answer(Reply&& reply) {
  pieces_ = std::move(reply.stream);
  source_ = std::move(reply.source);
  const std::optional<std::uint64_t> length = LengthOf(reply, pieces_.get(), source_.get());
  body_end_ = BodyEnd::kLength;
  if (!length) body_end_ = http11_ ? BodyEnd::kLastChunk : BodyEnd::kConnectionClose;
  keep_alive_ = keep_alive_ && body_end_ != BodyEnd::kConnectionClose;
  const bool close = reply.close || !keep_alive_ || body_unread_ || draining();
  const bool head_only = verb_ == Verb::head;
  outbox_.Add(std::move(reply), {loop_.date(), close, head_only, body_end_, length.value_or(0),
                                 http11_, header_lines_});
  if (head_only) source_.reset();
  if (source_ != nullptr) AddPiece();
  if (pieces_ != nullptr) {
    state_ = State::kStreaming;
    keep_alive_ = !close;
  } else if (close) {
    state_ = State::kLastReply;
    read_deadline_.Stop();
  } else if (outbox_.has_large_body() || source_ != nullptr) {
    state_ = State::kReplying;
  } else {
    AwaitHead();
  }
}

void Connection::Wake(std::uint64_t number) {
  if (!loop_.RunsHere()) {
    loop_.Post([self = Self(), number] { self->Wake(number); });
  } else if (state_ == State::kStreaming && number == request_number_) {
    Run();
  }
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
  if (!Write(outbox_)) return false;
  if (!full) WatchCaller();
  return full;
}

void Connection::EndStream() {
  outbox_.AddEnd(body_end_);
  pieces_.reset();
  handled_.reset();
  state_ = keep_alive_ && !draining() ? State::kReplying : State::kLastReply;
}

bool Connection::StepReply() {
  if (!SendReply()) return false;
  AwaitHead();
  return true;
}

bool Connection::SendReply() {
  if (!Write(outbox_, source_ != nullptr)) return false;
  if (source_ == nullptr) return true;
  // A fast reader would otherwise keep this thread for as long as its reply is.
  if (std::exchange(turn_follows_, true)) return false;
  loop_.Post([self = Self()] {
    self->turn_follows_ = false;
    if (!self->open()) return;
    self->AddPiece();
    self->Run();
  });
  return false;
}

void Connection::AddPiece() {
  const std::string_view piece = source_->Next();
  if (piece.empty()) {
    outbox_.AddEnd(body_end_);
    source_.reset();
  } else {
    outbox_.AddPiece(piece, body_end_);
  }
}

bool Connection::StepLastReply() {
  if (!SendReply()) return false;
  if (body_unread_) {
    Linger();
  } else {
    Close();
  }
  return false;
}

bool Connection::Receive(RequestReader::Room room) {
  if (room.at == nullptr) {
    Refuse(reader_.status());
    return true;
  }
  if (room.in_place && reads_in_a_row_ < kReadsInARow) {
    ErrorCode error;
    const std::size_t count = TryRead(room.at, room.size, error);
    if (!error) {
      ++reads_in_a_row_;
      Commit(count);
      return true;
    }
  }
  Read(room.at, room.size);
  return false;
}

void Connection::Commit(std::size_t count) {
  if (const Status read = reader_.Commit(count); !read.ok()) Refuse(read);
}

void Connection::OnRead(std::size_t count) {
  reads_in_a_row_ = 0;
  if (state_ != State::kLastReply) Commit(count);
  Run();
}

// What arrives is the next request, kept for later. A caller that has sent one already is not
// watched: its end would be read only after that request.
void Connection::WatchCaller() {
  if (reading() || !at_work() || !reader_.received().empty()) return;
  const RequestReader::Room room = reader_.RoomForHead();
  if (room.at != nullptr) Read(room.at, room.size);
}

void Connection::OnReadError(const ErrorCode& error) {
  const bool ended = error == boost::asio::error::eof;
  if (at_work()) {
    ReportCallerGone();
    // A caller that has only ended its side of the connection may still take the reply.
    keep_alive_ = false;
    if (ended) return;
  }
  const bool writing = state_ == State::kReplying || state_ == State::kLastReply;
  if (!writing || !ended) Close();
}

void Connection::ReportCallerGone() {
  if (const std::shared_ptr<Exchange> exchange = handled_.lock()) exchange->OnCallerGone();
  handled_.reset();
}

void Connection::CheckDeadlines(SteadyClock::time_point now) {
  if (!read_deadline_.passed(now)) return;
  if (state_ == State::kBody || (state_ == State::kHead && reader_.started())) {
    Refuse({Reason::kRequestTimeout, "the request did not arrive in time"});
    Run();
  } else {
    Close();
  }
}

void Connection::OnDrain() {
  if (state_ != State::kHead || reader_.started()) return;
  if (request_number_ == 0) {
    read_deadline_.Start(loop_.now(), kSilenceWhileDrainingMs);
  } else if (!stream().has_unread() && outbox_.empty()) {
    Close();
  }
}

bool Connection::OpenAwaitsPeer() const {
  switch (state_) {
    case State::kHead:
    case State::kBody:
      return true;
    case State::kHandling:
      return false;
    case State::kReplying:
    case State::kStreaming:
    case State::kLastReply:
    case State::kLeaving:
      break;
  }
  return writing();
}

void Connection::Leave() {
  const auto self = Self();
  loop_.LeaveWaiting(*this);
  state_ = State::kLeaving;
  if (reading()) {
    Cancel();  // what it has read already is kept
  } else {
    Run();
  }
}

bool Connection::StepLeaving() {
  if (reading() || !Write(outbox_)) return false;
  const auto self = Self();
  loop_.HandOver(Release(), std::move(reader_.received()));
  return false;
}

void Connection::OnClose() {
  if (at_work()) ReportCallerGone();
  pieces_.reset();
  source_.reset();
  loop_.LeaveWaiting(*this);
}

}  // namespace mlos::api::http::wire
