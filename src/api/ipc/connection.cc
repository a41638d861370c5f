// SPDX-License-Identifier: MIT
#include "api/ipc/connection.h"

#include <sys/socket.h>

#include <cerrno>
#include <string>
#include <utility>

#include "api/ipc/operations.h"
#include "api/ipc/wire/frame.h"
#include "base/log.h"

namespace mlos::api::ipc {
namespace {

using boost::system::error_code;

// A client that does not take its answers is not read from above this.
constexpr std::size_t kOutboxBytesMax = 256 << 10;
// Receives between two looks at the other connections.
constexpr int kReceivesMax = 16;

}  // namespace

Connection::Connection(std::shared_ptr<Service> service, std::shared_ptr<Session> session,
                       Socket socket, PollingLoop& loop)
    : loop_(std::static_pointer_cast<PollingLoop>(loop.shared_from_this())),
      service_(std::move(service)),
      session_(std::move(session)),
      socket_(std::move(socket)),
      reader_(session_->budget()),
      fd_(socket_.native_handle()) {}

void Connection::Start() {
  self_ = shared_from_this();
  read_deadline_.Start(SteadyClock::now(), service_->options().frame_timeout_ms);
  AwaitReadable();
}

void Connection::AwaitReadable() {
  if (awaiting_readable_ || ending_ || outbox_full()) return;
  awaiting_readable_ = true;
  socket_.async_wait(Socket::wait_read, [self = shared_from_this()](const error_code& error) {
    self->awaiting_readable_ = false;
    if (error) return;
    self->ReadSome();
    self->AwaitReadable();
  });
}

void Connection::AwaitWritable() {
  if (awaiting_writable_ || !socket_.is_open()) return;
  awaiting_writable_ = true;
  socket_.async_wait(Socket::wait_write, [self = shared_from_this()](const error_code& error) {
    self->awaiting_writable_ = false;
    if (!error) self->OnWritable();
  });
}

void Connection::OnWritable() {
  const Outbox outbox = Flush();
  // Who has closed both ways waits for no answer.
  if (outbox == Outbox::kBroken) return Close();
  if (outbox == Outbox::kWaiting) AwaitWritable();
  CloseIfDone();
  AwaitReadable();
}

void Connection::ReadSome() {
  const std::shared_ptr<Connection> alive = shared_from_this();
  const std::uint64_t before = reader_.received_bytes();
  const Status received = ReceiveSome();
  if (!received.ok()) Refuse(received);
  if (!reader_.within_frame() && greeted_) read_deadline_.Stop();
  if (socket_.is_open() && reader_.received_bytes() != before) loop_->NoteReceived(*this);
  CloseIfDone();
}

Status Connection::ReceiveSome() {
  for (int i = 0; i < kReceivesMax && !ending_ && !outbox_full(); ++i) {
    const auto received = MLOS_TRY(reader_.Receive(socket_.native_handle()));
    if (received == socket::FrameReader::Outcome::kEnd) {
      Close();
      return OkStatus();
    }
    MLOS_TRY(ReadFrames());
    if (received == socket::FrameReader::Outcome::kEmpty) return OkStatus();
  }
  return OkStatus();
}

Status Connection::ReadFrames() {
  while (!ending_) {
    std::optional<socket::Frame> frame = MLOS_TRY(reader_.Next());
    if (!frame) return OkStatus();
    if (greeted_) {
      MLOS_TRY(Receive({service_, session_, shared_from_this()}, std::move(*frame)));
    } else {
      MLOS_TRY(Greet(*frame));
    }
  }
  return OkStatus();
}

Status Connection::Greet(const socket::Frame& frame) {
  if (frame.header.type != wire::FrameType::kHello || !frame.descriptors.empty()) {
    return {Reason::kMalformedRequest, "the first frame is a hello"};
  }
  MLOS_TRY(wire::DecodeHello(frame.body()));
  greeted_ = true;
  const ServerOptions& options = service_->options();
  wire::ByteBuffer answer;
  wire::EncodeHelloOk(answer, frame.header.request_id,
                      {.requests_max = options.requests_max,
                       .regions_max = options.regions_max,
                       .region_bytes_max = options.region_bytes_max,
                       .server_version = service_->lobby().version()});
  MLOS_TRY(wire::FinishFrame(answer));
  Send(std::move(answer));
  return OkStatus();
}

// What the client has sent wrong it is told, and then left.
void Connection::Refuse(const Status& why) {
  if (ending_) return;
  Log(LogLevel::kDebug, "ipc connection refused", {{"pid", session_->peer().pid}, LogField(why)});
  service_->runtime().stats().RecordRequest("ipc", "refused", why, 0);
  End(why);
}

void Connection::End(const Status& why) {
  if (ending_) return;
  SendError(*this, 0, why);
  ending_ = true;
  session_->Close();
}

void Connection::Fail(const Status& why) {
  loop_->Post([self = weak_from_this(), why] {
    const auto connection = self.lock();
    if (connection == nullptr) return;
    connection->Refuse(why);
    connection->CloseIfDone();
  });
}

void Connection::Leave(const Status& why) {
  loop_->Post([self = weak_from_this(), why] {
    const auto connection = self.lock();
    if (connection == nullptr) return;
    connection->End(why);
    connection->CloseIfDone();
  });
}

void Connection::Drain() {
  draining_ = true;
  ReadSome();
}

void Connection::CloseIfDone() {
  if (!socket_.is_open() || (!ending_ && !(draining_ && session_->idle()))) return;
  {
    const MutexLock lock(mutex_);
    if (!outbox_.empty()) return;
  }
  Close();
}

void Connection::Close() {
  if (!socket_.is_open()) return;
  const std::shared_ptr<Connection> last = std::exchange(self_, nullptr);
  ending_ = true;
  // Cancels what it asked for, so that its memory, the client's regions among it, goes back soon.
  session_->Close();
  loop_->Remove(*this);
  const MutexLock lock(mutex_);
  fd_ = -1;
  outbox_.clear();
  outbox_bytes_ = 0;
  error_code ignored;
  socket_.close(ignored);
}

void Connection::OnTick(SteadyClock::time_point now) {
  const ServerOptions& options = service_->options();
  if (!greeted_ || reader_.within_frame()) {
    read_deadline_.Watch(now, options.frame_timeout_ms, reader_.received_bytes());
  }
  {
    const MutexLock lock(mutex_);
    if (outbox_.empty()) {
      write_deadline_.Stop();
    } else {
      write_deadline_.Watch(now, options.write_timeout_ms, sent_bytes_);
    }
  }
  if (read_deadline_.passed(now) || write_deadline_.passed(now)) return Close();
  EndIfIdle(now);
  CloseIfDone();
}

// A frame that has begun has a deadline of its own.
void Connection::EndIfIdle(SteadyClock::time_point now) {
  session_->Look(now, reader_.received_bytes());
  const std::int64_t timeout_ms = service_->options().idle_timeout_ms;
  if (timeout_ms == 0 || !greeted_ || reader_.within_frame()) return;
  if (now < net::MillisecondsAfter(session_->idle_since(), timeout_ms)) return;
  session_->EndIfIdle(
      {Reason::kRequestTimeout,
       "the connection was idle for " + std::to_string(timeout_ms) + " ms; connect again"});
}

void Connection::Send(wire::ByteBuffer frame) {
  {
    const MutexLock lock(mutex_);
    if (fd_ < 0) return;
    Outgoing outgoing{std::move(frame)};
    const bool first = outbox_.empty();
    if (first && Write(outgoing)) return;
    outbox_bytes_ += outgoing.frame.size();
    outbox_.push_back(std::move(outgoing));
    session_->set_unsent(true);
    if (!first) return;
  }
  loop_->Post([self = weak_from_this()] {
    if (const auto connection = self.lock()) connection->AwaitWritable();
  });
}

// True if all of it is sent, or never will be.
bool Connection::Write(Outgoing& outgoing) {
  while (outgoing.sent < outgoing.frame.size()) {
    const std::string_view left = outgoing.frame.view().substr(outgoing.sent);
    const ssize_t sent = ::send(fd_, left.data(), left.size(), MSG_NOSIGNAL | MSG_DONTWAIT);
    if (sent >= 0) {
      outgoing.sent += static_cast<std::size_t>(sent);
      sent_bytes_ += static_cast<std::uint64_t>(sent);
    } else if (errno == EAGAIN) {
      return false;
    } else if (errno != EINTR) {
      // The loop's thread reads the end, and closes.
      ::shutdown(std::exchange(fd_, -1), SHUT_RDWR);
      return true;
    }
  }
  return true;
}

Connection::Outbox Connection::Flush() {
  const MutexLock lock(mutex_);
  while (fd_ >= 0 && !outbox_.empty()) {
    if (!Write(outbox_.front())) return Outbox::kWaiting;
    outbox_bytes_ -= outbox_.front().frame.size();
    outbox_.pop_front();
  }
  if (outbox_.empty()) session_->set_unsent(false);
  return fd_ >= 0 ? Outbox::kEmpty : Outbox::kBroken;
}

bool Connection::outbox_full() {
  const MutexLock lock(mutex_);
  return outbox_bytes_ > kOutboxBytesMax;
}

}  // namespace mlos::api::ipc
