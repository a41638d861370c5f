// SPDX-License-Identifier: MIT
#include "api/ipc/connection.h"

#include <sys/epoll.h>
#include <sys/socket.h>

#include <cerrno>
#include <chrono>
#include <utility>

#include "api/ipc/operations.h"
#include "api/ipc/wire/frame.h"
#include "base/log.h"

namespace mlos::api::ipc {
namespace {

using std::chrono::milliseconds;

// A client that does not take its answers is not read from above this.
constexpr std::size_t kOutboxBytesMax = 256 << 10;
// Receives between two looks at the other connections.
constexpr int kReceivesMax = 16;

}  // namespace

Connection::Connection(std::shared_ptr<Service> service, std::shared_ptr<Session> session,
                       UniqueFd fd, socket::EventLoop& loop, std::function<void()> on_close)
    : service_(std::move(service)),
      session_(std::move(session)),
      loop_(loop),
      on_close_(std::move(on_close)),
      reader_(service_->budget()),
      fd_(std::move(fd)) {}

Connection::~Connection() {
  session_->Close();
  if (on_close_) on_close_();
}

void Connection::Start() {
  const MutexLock lock(mutex_);
  events_ = EPOLLIN | EPOLLRDHUP;
  const Status added = loop_.Add(shared_from_this(), fd_.get(), events_);
  if (!added.ok()) {
    fd_.Reset();
    return;
  }
  watched_ = true;
  read_deadline_.Start(SteadyClock::now(), service_->options().frame_timeout_ms);
  loop_.WatchDeadlines(1);
}

void Connection::OnEvents(std::uint32_t events) {
  bool broken = false;
  {
    const MutexLock lock(mutex_);
    if (!fd_.valid()) return;
    if ((events & EPOLLOUT) != 0) Flush();
    broken = broken_ || (events & (EPOLLHUP | EPOLLERR)) != 0;
  }
  // Who has closed both ways waits for no answer.
  if (broken) return Close();
  if ((events & (EPOLLIN | EPOLLRDHUP)) != 0) ReadSome();
  CloseIfDone();
  Watch();
}

bool Connection::OnPoll() {
  if (ending_) return false;
  const std::uint64_t before = reader_.received_bytes();
  ReadSome();
  if (reader_.received_bytes() == before && !ending_) return false;
  CloseIfDone();
  Watch();
  return true;
}

void Connection::ReadSome() {
  int fd = -1;
  for (int i = 0; i < kReceivesMax && !ending_; ++i) {
    {
      const MutexLock lock(mutex_);
      if (!fd_.valid() || outbox_full()) return UpdateEvents();
      fd = fd_.get();
    }
    const Result<socket::FrameReader::Outcome> received = reader_.Receive(fd);
    if (!received.ok()) return End(received.status());
    if (*received == socket::FrameReader::Outcome::kEnd) return Close();
    const Status read = ReadFrames();
    if (!read.ok()) return End(read);
    if (*received == socket::FrameReader::Outcome::kEmpty) return;
  }
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
void Connection::End(const Status& why) {
  Log(LogLevel::kDebug, "ipc connection refused", {{"pid", session_->peer().pid}, LogField(why)});
  service_->runtime().stats().RecordRequest("ipc", "refused", why, 0);
  SendError(*this, 0, why);
  ending_ = true;
  session_->Close();
  const MutexLock lock(mutex_);
  reading_ = false;
  UpdateEvents();
}

void Connection::Fail(const Status& why) {
  loop_.Post([self = weak_from_this(), why] {
    const auto connection = self.lock();
    if (connection == nullptr || connection->ending_) return;
    connection->End(why);
    connection->CloseIfDone();
  });
}

void Connection::Drain() {
  draining_ = true;
  ReadSome();
  CloseIfDone();
}

void Connection::CloseIfDone() {
  if (!ending_ && !draining_) return;
  if (!ending_ && !session_->idle()) return;
  {
    const MutexLock lock(mutex_);
    if (fd_.valid() && !outbox_.empty() && !broken_) return;
  }
  Close();
}

void Connection::Close() {
  // Cancels what it asked for, so that its memory, the client's regions among it, goes back soon.
  session_->Close();
  if (std::exchange(watched_, false)) loop_.WatchDeadlines(-1);
  ending_ = true;
  {
    const MutexLock lock(mutex_);
    if (!fd_.valid()) return;
    loop_.Remove(*this, fd_.get());
    fd_.Reset();
    outbox_.clear();
    outbox_bytes_ = 0;
  }
}

/// Says whether the loop has to look at the clock for this connection.
void Connection::Watch() {
  bool wanted = !greeted_ || reader_.within_frame();
  {
    const MutexLock lock(mutex_);
    wanted = fd_.valid() && (wanted || !outbox_.empty());
  }
  if (wanted == watched_) return;
  watched_ = wanted;
  read_deadline_.Start(SteadyClock::now(), service_->options().frame_timeout_ms,
                       reader_.received_bytes());
  loop_.WatchDeadlines(wanted ? 1 : -1);
}

void Connection::OnTick(SteadyClock::time_point now) {
  const ServerOptions& options = service_->options();
  if (greeted_ && !reader_.within_frame()) {
    read_deadline_.Stop();
  } else {
    read_deadline_.Watch(now, options.frame_timeout_ms, reader_.received_bytes());
  }
  bool late = read_deadline_.passed(now);
  {
    const MutexLock lock(mutex_);
    late |= !outbox_.empty() && now - write_since_ > milliseconds(options.write_timeout_ms);
  }
  if (late) return Close();
  CloseIfDone();
  Watch();
}

void Connection::Send(wire::ByteBuffer frame) {
  bool first = false;
  {
    const MutexLock lock(mutex_);
    if (!fd_.valid() || broken_) return;
    Outgoing outgoing{std::move(frame)};
    if (outbox_.empty() && Write(outgoing)) return;
    if (broken_) return;
    first = outbox_.empty();
    if (first) write_since_ = SteadyClock::now();
    outbox_bytes_ += outgoing.frame.size();
    outbox_.push_back(std::move(outgoing));
    UpdateEvents();
  }
  // The loop has a deadline more to watch.
  if (first)
    loop_.Post([self = weak_from_this()] {
      if (const auto connection = self.lock()) connection->Watch();
    });
}

// True where all of it is sent.
bool Connection::Write(Outgoing& outgoing) {
  while (outgoing.sent < outgoing.frame.size()) {
    const std::string_view left = outgoing.frame.view().substr(outgoing.sent);
    const ssize_t sent = ::send(fd_.get(), left.data(), left.size(), MSG_NOSIGNAL | MSG_DONTWAIT);
    if (sent < 0 && errno == EINTR) continue;
    if (sent < 0) {
      if (errno == EAGAIN) return false;
      broken_ = true;
      // Makes the loop's thread close it.
      ::shutdown(fd_.get(), SHUT_RDWR);
      return false;
    }
    outgoing.sent += static_cast<std::size_t>(sent);
  }
  return true;
}

void Connection::Flush() {
  while (!outbox_.empty()) {
    const std::size_t before = outbox_.front().sent;
    const bool whole = Write(outbox_.front());
    if (outbox_.front().sent != before) write_since_ = SteadyClock::now();
    if (!whole) break;
    outbox_bytes_ -= outbox_.front().frame.size();
    outbox_.pop_front();
  }
  UpdateEvents();
}

bool Connection::outbox_full() const { return outbox_bytes_ > kOutboxBytesMax; }

void Connection::UpdateEvents() {
  if (!fd_.valid()) return;
  std::uint32_t events = outbox_.empty() ? 0U : static_cast<std::uint32_t>(EPOLLOUT);
  if (reading_ && !outbox_full()) events |= EPOLLIN | EPOLLRDHUP;
  if (events == events_) return;
  events_ = events;
  loop_.SetEvents(*this, fd_.get(), events);
}

}  // namespace mlos::api::ipc
