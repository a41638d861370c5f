// SPDX-License-Identifier: MIT
#include "api/http/wire/body_stream.h"

#include <utility>

namespace mlos::api::http::wire {

Status BodyStream::Write(net::ByteBuffer piece) {
  MLOS_TRY(piece.status());
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
  }
  Wake(wake);
  return OkStatus();
}

bool BodyStream::has_room() {
  const MutexLock lock(mutex_);
  return gone_ || waiting_.size() < kWaitingBytesMax;
}

void BodyStream::AwaitRoom(Deadline deadline) {
  const MutexLock lock(mutex_);
  while (!gone_ && waiting_.size() >= kWaitingBytesMax) {
    if (deadline == kNoDeadline) {
      changed_.Wait(mutex_);
    } else if (!changed_.WaitUntil(mutex_, deadline)) {
      return;
    }
  }
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
  const MutexLock lock(mutex_);
  net::ByteBuffer taken = std::exchange(waiting_, net::ByteBuffer(budget_));
  if (taken.empty()) taken = std::exchange(last_, net::ByteBuffer());
  idle_ = taken.empty() && !ended_;
  changed_.NotifyAll();
  return taken;
}

bool BodyStream::ended() {
  const MutexLock lock(mutex_);
  return ended_ && waiting_.empty() && last_.empty();
}

void BodyStream::Abandon() {
  const MutexLock lock(mutex_);
  gone_ = true;
  waiting_ = net::ByteBuffer(budget_);
  changed_.NotifyAll();
}

}  // namespace mlos::api::http::wire
