// SPDX-License-Identifier: MIT
#include "api/grpc/http2/connection.h"

#include <utility>

namespace mlos::api::grpc::http2 {
namespace {

constexpr std::size_t kReadBytes = 8 << 10;
// Of a connection whose peer sends much.
constexpr std::size_t kReadBytesMax = 32 << 10;
constexpr std::size_t kOutBytesMax = 64 << 10;

}  // namespace

Connection::Connection(ConnectionHost& loop, net::Stream stream, boost::asio::ip::address peer)
    : net::StreamConnection(loop, std::move(stream), std::move(peer),
                            {.opening_ms = loop.limits().header_timeout_ms,
                             .write_ms = loop.limits().write_timeout_ms}),
      loop_(loop),
      account_(loop.acceptor().accounts().Open(this->peer().to_string())),
      outbox_{.bytes = net::ByteBuffer(budget())} {}

Connection::~Connection() = default;

void Connection::OnOpen() {
  session_ = std::make_unique<Session>(loop_.limits(), loop_.acceptor());
  if (!session_->Start(Self()).ok()) return Close();
  read_buffer_.resize(kReadBytes);
  if (draining()) session_->AnnounceEnd();
  Flush();
  ReadOn();
}

// A peer that does not take what it asked for is not listened to meanwhile.
void Connection::ReadOn() {
  if (open() && !reading() && !writing()) Read(read_buffer_.data(), read_buffer_.size());
}

void Connection::OnRead(std::size_t count) {
  moved_ = true;
  working_ = true;
  session_->Receive(std::string_view(read_buffer_).substr(0, count));
  working_ = false;
  Flush();
  if (count == read_buffer_.size() && count < kReadBytesMax) read_buffer_.resize(kReadBytesMax);
  ReadOn();
}

void Connection::Flush() {
  if (!open() || working_ || writing()) return;
  working_ = true;
  bool more = true;
  while (more) {
    const bool produced = session_->Produce(outbox_.bytes, kOutBytesMax);
    more = !outbox_.empty() && Write(outbox_);
    // What was to follow is lost, and with it the peer's understanding of what comes then.
    if (!produced) Close();
    more = more && produced;
  }
  working_ = false;
  if (!open() || writing() || !session_->over()) return;
  session_.reset();
  Linger();
}

void Connection::OnWritable() {
  if (!Write(outbox_)) return;
  Flush();
  ReadOn();
}

template <typename Task>
void Connection::Do(Task task) {
  if (!loop_.RunsHere()) {
    loop_.Post([self = Self(), task = std::move(task)]() mutable { self->Do(std::move(task)); });
    return;
  }
  if (session_ == nullptr) return;
  task(*session_);
  Flush();
}

void Connection::Send(std::int32_t stream_id, Part part) {
  Do([stream_id, part = std::move(part)](Session& session) mutable {
    session.Send(stream_id, std::move(part));
  });
}

void Connection::Consume(std::int32_t stream_id, std::size_t count) {
  Do([stream_id, count](Session& session) { session.Consume(stream_id, count); });
}

void Connection::Cancel(std::int32_t stream_id) {
  Do([stream_id](Session& session) { session.Cancel(stream_id); });
}

void Connection::Post(std::function<void()> task) { loop_.Post(std::move(task)); }

bool Connection::RunsHere() { return loop_.RunsHere(); }

void Connection::CheckDeadlines(SteadyClock::time_point now) {
  working_ = true;
  session_->OnTick(now);
  CheckHanging(now);
  CheckIdle(now);
  if (draining()) GoOnDraining();
  working_ = false;
  Flush();
  if (session_ != nullptr && idle() && outbox_.empty()) ShrinkBuffers();
}

void Connection::CheckHanging(SteadyClock::time_point now) {
  if (session_->introduced() && !session_->in_header_block()) {
    hanging_deadline_ = kNoDeadline;
  } else if (hanging_deadline_ == kNoDeadline) {
    hanging_deadline_ = net::MillisecondsAfter(now, loop_.limits().header_timeout_ms);
  } else if (now >= hanging_deadline_) {
    session_->Terminate(NGHTTP2_ENHANCE_YOUR_CALM);
  }
}

void Connection::CheckIdle(SteadyClock::time_point now) {
  const Limits& limits = loop_.limits();
  const bool empty = session_->open_streams() == 0;
  const bool moved = std::exchange(moved_, false);
  const std::int32_t last_stream = std::exchange(last_stream_, session_->last_stream());
  const bool asked = last_stream_ != last_stream;
  // Bytes keep a connection alive that has streams; without, only a new stream does.
  if (idle_deadline_ == kNoDeadline || asked || (!empty && moved)) {
    idle_deadline_ = net::MillisecondsAfter(now, limits.idle_timeout_ms);
    pinged_ = false;
  }
  if (now < idle_deadline_) return;
  if (empty || pinged_) {
    session_->Terminate(NGHTTP2_NO_ERROR);
  } else {
    session_->Ping();
    pinged_ = true;
    idle_deadline_ = net::MillisecondsAfter(now, limits.write_timeout_ms);
  }
}

// An idle connection keeps what a small call needs. What an operation reads into stays.
void Connection::ShrinkBuffers() {
  if (outbox_.bytes.capacity() > kReadBytesMax) {
    outbox_.bytes = net::ByteBuffer(budget());
  }
}

// RFC 9113, section 6.8: first a notice, so that what the peer has sent already is answered, and
// later the last stream that will be.
void Connection::OnDrain() {
  session_->AnnounceEnd();
  Flush();
}

bool Connection::OpenAwaitsPeer() const { return session_ == nullptr || session_->awaits_peer(); }

void Connection::GoOnDraining() {
  if (!std::exchange(announced_, true)) return;  // it was said less than a tick ago
  if (session_->open_streams() == 0) {
    session_->Terminate(NGHTTP2_NO_ERROR);
  } else if (!std::exchange(drained_, true)) {
    session_->Drain();
  }
}

void Connection::OnClose() {
  // Its handlers are told; whatever they answer is dropped.
  const std::unique_ptr<Session> session = std::move(session_);
}

}  // namespace mlos::api::grpc::http2
