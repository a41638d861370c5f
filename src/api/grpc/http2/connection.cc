// SPDX-License-Identifier: MIT
#include "api/grpc/http2/connection.h"

#include <algorithm>
#include <chrono>
#include <utility>

namespace mlos::api::grpc::http2 {
namespace {

using boost::system::error_code;

constexpr std::size_t kReadBytes = 8 << 10;
// Of a connection whose peer sends much.
constexpr std::size_t kReadBytesMax = 32 << 10;
constexpr std::size_t kOutBytesMax = 64 << 10;
constexpr std::int64_t kLingerMs = 2'000;
constexpr std::int64_t kHandshakeWhileDrainingMs = 500;
constexpr std::size_t kLingerBytesMax = 16 << 20;

Deadline After(SteadyClock::time_point now, std::int64_t timeout_ms) {
  return now + std::chrono::milliseconds(timeout_ms);
}

}  // namespace

Connection::Connection(std::shared_ptr<ConnectionHost> loop, net::Stream stream,
                       boost::asio::ip::address peer)
    : net::Connection(std::move(peer)),
      loop_(std::move(loop)),
      stream_(std::move(stream)),
      out_(loop_->acceptor().budget()) {}

Connection::~Connection() = default;

void Connection::Start() {
  self_ = shared_from_this();
  read_deadline_ = After(loop_->now(), loop_->limits().header_timeout_ms);
  if (!stream_.encrypted()) return Begin();
  stream_.Handshake([self = shared_from_this()](const error_code& error) {
    if (error) {
      self->Close();
    } else {
      self->Begin();
    }
  });
}

void Connection::Begin() {
  session_ = std::make_unique<Session>(loop_->limits(), loop_->acceptor());
  if (!session_->Start(shared_from_this()).ok()) {
    Close();
    return;
  }
  read_buffer_.resize(kReadBytes);
  if (draining_) session_->AnnounceEnd();
  Flush();
  Read();
}

void Connection::Read() {
  if (reading_ || self_ == nullptr) return;
  // A peer that does not take what it asked for is not listened to meanwhile.
  if (writing_ && !lingering_) return;
  reading_ = true;
  stream_.Read(read_buffer_.data(), read_buffer_.size(),
               [self = shared_from_this()](const error_code& error, std::size_t count) {
                 self->reading_ = false;
                 if (error) {
                   self->Close();
                 } else {
                   self->OnRead(count);
                 }
               });
}

void Connection::OnRead(std::size_t count) {
  if (self_ == nullptr) return;
  moved_ = true;
  if (lingering_) {
    linger_bytes_ += count;
    if (linger_bytes_ > kLingerBytesMax) return Close();
    return Read();
  }
  working_ = true;
  session_->Receive(std::string_view(read_buffer_).substr(0, count));
  working_ = false;
  Flush();
  if (count == read_buffer_.size() && count < kReadBytesMax) read_buffer_.resize(kReadBytesMax);
  Read();
}

void Connection::Flush() {
  if (self_ == nullptr || working_ || writing_ || lingering_) return;
  working_ = true;
  bool more = true;
  while (more) {
    const bool produced = session_->Produce(out_, kOutBytesMax);
    more = !out_.empty() && Write();
    // What was to follow is lost, and with it the peer's understanding of what comes then.
    if (!produced && self_ != nullptr) Close();
    more = more && produced;
  }
  working_ = false;
  if (self_ != nullptr && !writing_ && session_->over()) Linger();
}

bool Connection::Write() {
  while (written_ < out_.size()) {
    error_code error;
    const std::size_t count =
        stream_.Write(boost::asio::buffer(out_.data() + written_, out_.size() - written_), error);
    if (error == boost::asio::error::would_block) {
      WaitWritable();
      return false;
    }
    if (error) {
      Close();
      return false;
    }
    written_ += count;
    write_mark_ += count;
  }
  out_.Clear();
  written_ = 0;
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
    if (error) return self->Close();
    if (self->self_ == nullptr || !self->Write()) return;
    self->Flush();
    self->Read();
  });
}

// Closing while bytes are unread makes the kernel reset the connection, and the peer would lose the
// GOAWAY that tells it why.
void Connection::Linger() {
  lingering_ = true;
  session_.reset();
  read_deadline_ = After(loop_->now(), kLingerMs);
  stream_.EndSending();
}

template <typename Task>
void Connection::Do(Task task) {
  if (!loop_->RunsHere()) {
    loop_->Post([self = shared_from_this(), task = std::move(task)]() mutable {
      self->Do(std::move(task));
    });
    return;
  }
  if (self_ == nullptr || session_ == nullptr) return;
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

void Connection::Post(std::function<void()> task) { loop_->Post(std::move(task)); }

bool Connection::RunsHere() { return loop_->RunsHere(); }

void Connection::OnTick(SteadyClock::time_point now) {
  // Without a session it is not at work yet, in its handshake, or no more, lingering.
  if (now >= write_deadline_ || (session_ == nullptr && now >= read_deadline_)) return Close();
  if (session_ == nullptr) return;
  working_ = true;
  session_->OnTick(now);
  CheckIdle(now);
  if (draining_) GoOnDraining();
  working_ = false;
  Flush();
  if (session_ != nullptr && idle() && out_.empty()) ShrinkBuffers();
}

// An idle connection keeps what a small call needs. What an operation reads into stays.
void Connection::ShrinkBuffers() {
  if (out_.capacity() > kReadBytesMax) out_ = net::ByteBuffer(loop_->acceptor().budget());
}

void Connection::CheckIdle(SteadyClock::time_point now) {
  const Limits& limits = loop_->limits();
  // A preface, or a header block, that does not come to its end.
  const bool hanging = !session_->introduced() || session_->in_header_block();
  if (!hanging) {
    read_deadline_ = kNoDeadline;
  } else if (read_deadline_ == kNoDeadline) {
    read_deadline_ = After(now, limits.header_timeout_ms);
  } else if (now >= read_deadline_) {
    session_->Terminate(NGHTTP2_ENHANCE_YOUR_CALM);
    return;
  }
  const bool empty = session_->open_streams() == 0;
  const bool moved = std::exchange(moved_, false);
  const bool asked = std::exchange(last_stream_, session_->last_stream()) != last_stream_;
  // Bytes keep a connection alive that has streams; without, only a new stream does.
  if (idle_deadline_ == kNoDeadline || asked || (!empty && moved)) {
    idle_deadline_ = After(now, limits.idle_timeout_ms);
    pinged_ = false;
  }
  if (!empty && !pinged_ && now >= idle_deadline_) {
    pinged_ = true;
    session_->Ping();
    idle_deadline_ = After(now, limits.write_timeout_ms);
  } else if (now >= idle_deadline_) {
    session_->Terminate(NGHTTP2_NO_ERROR);
  }
}

// RFC 9113, section 6.8: first a notice, so that what the peer has sent already is answered, and
// later the last stream that will be.
void Connection::Drain() {
  draining_ = true;
  if (self_ == nullptr || lingering_) return;
  if (session_ == nullptr) {
    read_deadline_ = After(loop_->now(), kHandshakeWhileDrainingMs);
    return;
  }
  session_->AnnounceEnd();
  Flush();
}

void Connection::GoOnDraining() {
  if (!std::exchange(announced_, true)) return;  // it was said less than a tick ago
  if (session_->open_streams() == 0) {
    session_->Terminate(NGHTTP2_NO_ERROR);
  } else if (!std::exchange(drained_, true)) {
    session_->Drain();
  }
}

void Connection::Close() {
  if (self_ == nullptr) return;
  const std::shared_ptr<Connection> last = std::move(self_);
  loop_->Remove(*this);
  stream_.Close();
  // Its handlers are told; whatever they answer is dropped.
  const std::unique_ptr<Session> session = std::move(session_);
}

}  // namespace mlos::api::grpc::http2
