// SPDX-License-Identifier: MIT
#include "api/http/wire/body_stream.h"

#include <utility>

namespace mlos::api::http::wire {

Status BodyStream::Write(net::ByteBuffer piece) {
  MLOS_TRY(piece.status());
  const auto bytes = static_cast<std::int64_t>(piece.size());
  bool wake = false;
  {
    const MutexLock lock(mutex_);
    if (gone_) return {Reason::kCancelled, "the caller went away"};
    if (waiting_.empty()) {
      waiting_ = std::move(piece);
    } else if (char* end = waiting_.Prepare(piece.size())) {
      piece.view().copy(end, piece.size());
      waiting_.Commit(piece.size());
    } else {
      return waiting_.status();
    }
    wake = std::exchange(idle_, false);
    // Before the connection can release them.
    credit_->Hold(bytes);
  }
  Wake(wake);
  return OkStatus();
}

void BodyStream::End(net::ByteBuffer last) {
  bool wake = false;
  {
    const MutexLock lock(mutex_);
    last_ = std::move(last);
    ended_ = true;
    wake = std::exchange(idle_, false);
  }
  Wake(wake);
}

std::shared_ptr<BodyStream> BodyStream::ReaderOf(std::shared_ptr<BodyStream> stream) {
  BodyStream* const read = stream.get();
  return {read, [stream = std::move(stream)](BodyStream* abandoned) { abandoned->Abandon(); }};
}

net::ByteBuffer BodyStream::Take() {
  net::ByteBuffer taken;
  std::size_t sent_bytes = 0;
  {
    const MutexLock lock(mutex_);
    taken = std::exchange(waiting_, net::ByteBuffer(budget_));
    sent_bytes = std::exchange(taken_bytes_, taken.size());
    if (taken.empty()) taken = std::exchange(last_, net::ByteBuffer());
    idle_ = taken.empty() && !ended_;
  }
  credit_->Release(static_cast<std::int64_t>(sent_bytes));
  return taken;
}

bool BodyStream::ended() {
  const MutexLock lock(mutex_);
  return ended_ && waiting_.empty() && last_.empty();
}

void BodyStream::Abandon() {
  std::size_t bytes = 0;
  {
    const MutexLock lock(mutex_);
    gone_ = true;
    bytes = waiting_.size() + std::exchange(taken_bytes_, 0);
    waiting_ = net::ByteBuffer(budget_);
  }
  credit_->Release(static_cast<std::int64_t>(bytes));
}

}  // namespace mlos::api::http::wire
