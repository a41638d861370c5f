// SPDX-License-Identifier: MIT
#include "net/stream_connection.h"

#include <utility>

namespace mlos::net {
namespace {

constexpr std::int64_t kLingerMs = 2'000;

}  // namespace

StreamConnection::StreamConnection(TcpLoop& loop, Stream stream, boost::asio::ip::address peer,
                                   Timeouts timeouts)
    : PeerConnection(std::move(peer)),
      loop_(std::static_pointer_cast<TcpLoop>(loop.shared_from_this())),
      timeouts_(timeouts),
      stream_(std::move(stream)) {}

void StreamConnection::Start() {
  self_ = shared_from_this();
  if (!stream_.encrypted()) return OnHandshake({});
  phase_deadline_ = MillisecondsAfter(loop_->now(), timeouts_.opening_ms);
  stream_.Handshake([self = self_](const ErrorCode& error) { self->OnHandshake(error); });
}

void StreamConnection::OnHandshake(const ErrorCode& error) {
  if (phase_ != Phase::kOpening) return;
  if (error) return Close();
  phase_ = Phase::kOpen;
  phase_deadline_ = kNoDeadline;
  OnOpen();
}

void StreamConnection::Read(char* into, std::size_t size_max) {
  reading_ = true;
  stream_.Read(into, size_max, [self = self_](const ErrorCode& error, std::size_t count) {
    self->AfterRead(error, count);
  });
}

void StreamConnection::AfterRead(const ErrorCode& error, std::size_t count) {
  reading_ = false;
  const bool cancelled = error == boost::asio::error::operation_aborted;
  if (phase_ == Phase::kClosed) return;
  if (phase_ == Phase::kLingering) {
    if (error) return Close();
    ReadAway();
  } else if (error && !cancelled) {
    OnReadError(error);
  } else {
    OnRead(count);
  }
}

void StreamConnection::OnNotWritten(const ErrorCode& error) {
  if (error != boost::asio::error::would_block) return Close();
  write_deadline_.Watch(loop_->now(), timeouts_.write_ms, written_);
  writing_ = true;
  stream_.WaitWritable([self = self_](const ErrorCode& failure) {
    self->writing_ = false;
    if (self->phase_ == Phase::kClosed) return;
    if (failure && failure != boost::asio::error::operation_aborted) return self->Close();
    self->OnWritable();
  });
}

void StreamConnection::Linger() {
  phase_ = Phase::kLingering;
  phase_deadline_ = MillisecondsAfter(loop_->now(), kLingerMs);
  stream_.EndSending();
  if (!reading_) ReadAway();
}

void StreamConnection::ReadAway() { Read(loop_->scratch(), TcpLoop::kScratchBytes); }

void StreamConnection::OnTick(SteadyClock::time_point now) {
  if (write_deadline_.passed(now) || now >= phase_deadline_) return Close();
  if (open()) CheckDeadlines(now);
}

void StreamConnection::Drain() {
  draining_ = true;
  if (open()) {
    OnDrain();
  } else if (phase_ == Phase::kOpening) {
    phase_deadline_ = MillisecondsAfter(loop_->now(), kSilenceWhileDrainingMs);
  }
}

std::shared_ptr<StreamConnection> StreamConnection::Forget() {
  phase_ = Phase::kClosed;
  loop_->Remove(*this, peer());
  return std::exchange(self_, nullptr);
}

void StreamConnection::Close() {
  if (phase_ == Phase::kClosed) return;
  const std::shared_ptr<StreamConnection> last = Forget();
  stream_.Close();
  OnClose();
}

UniqueFd StreamConnection::Release() {
  const std::shared_ptr<StreamConnection> last = Forget();
  return stream_.Release();
}

}  // namespace mlos::net
