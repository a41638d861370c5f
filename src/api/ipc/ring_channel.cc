// SPDX-License-Identifier: MIT
#include "api/ipc/ring_channel.h"

#include <utility>

#include "api/ipc/operations.h"
#include "api/ipc/wire/frame.h"

namespace mlos::api::ipc {
namespace {

// Between two looks at the clock while polling.
constexpr int kPauses = 32;
// While answers wait for room in the ring.
constexpr std::int64_t kRetryNs = 1'000'000;
// The client can keep a bell from waking Core: it is not relied upon for longer than this.
constexpr std::int64_t kSleepNsMax = 250'000'000;
constexpr std::size_t kErrorTextBytes = 200;

void Pause() {
#if defined(__x86_64__)
  __builtin_ia32_pause();
#elif defined(__aarch64__)
  asm volatile("yield");
#endif
}

/// What is sent in place of a frame that no slot holds: a failure, shortened, or that it is one.
wire::ByteBuffer Shortened(const wire::ByteBuffer& frame, std::uint32_t slot_bytes) {
  const wire::FrameHeader header =
      wire::DecodeHeader(frame.view().substr(0, wire::kHeaderBytes)).value();
  wire::ByteBuffer shorter;
  const Result<wire::Error> error = wire::DecodeError(frame.view().substr(wire::kHeaderBytes));
  if (header.type == wire::FrameType::kError && error.ok()) {
    wire::Error cut = *error;
    cut.field = cut.field.substr(0, kErrorTextBytes);
    cut.message = cut.message.substr(0, kErrorTextBytes);
    wire::EncodeError(shorter, header.request_id, cut);
  } else {
    wire::EncodeError(
        shorter, header.request_id,
        Status(Reason::kPayloadTooLarge,
               "the answer takes " + std::to_string(frame.size()) + " bytes, and a slot has " +
                   std::to_string(slot_bytes) + "; name an output region, or use the socket"));
  }
  [[maybe_unused]] const Status finished = wire::FinishFrame(shorter);
  return shorter;
}

}  // namespace

RingChannel::RingChannel(Origin origin, memory::Ring ring)
    : origin_(std::move(origin)), ring_(std::move(ring)), spin_(socket::SpinLimitNs()) {}

RingChannel::~RingChannel() { origin_.service->totals()->rings.Give(origin_.session->peer().uid); }

void RingChannel::Start() {
  origin_.service->totals()->ring_threads.fetch_add(1);
  const MutexLock lock(mutex_);
  thread_ = std::thread([self = shared_from_this()] {
    self->Serve();
    self->EndThread();
  });
}

void RingChannel::Stop() {
  stopping_.store(true);
  ring_.Wake();
}

// A worker joins the thread only when it is past everything but its return.
void RingChannel::EndThread() {
  const std::shared_ptr<Totals> totals = origin_.service->totals();
  origin_.service->lobby().workers().Post(door::Executor::kWorker, [self = shared_from_this()] {
    const MutexLock lock(self->mutex_);
    self->thread_.join();
  });
  totals->ring_threads.fetch_sub(1);
}

void RingChannel::Serve() {
  server_.store(std::this_thread::get_id());
  while (!stopping_.load(std::memory_order_relaxed)) {
    const Status served = ServeWaiting();
    if (!served.ok()) return Fail(served);
    Wait();
  }
}

Status RingChannel::ServeWaiting() {
  if (full_.load(std::memory_order_relaxed)) {
    const MutexLock lock(mutex_);
    MLOS_TRY(Flush());
  }
  while (!stopping_.load(std::memory_order_relaxed) && MLOS_TRY(ring_.HasRequest())) {
    MLOS_TRY(TakeOne());
  }
  return OkStatus();
}

Status RingChannel::TakeOne() {
  socket::Frame frame;
  MLOS_TRY(ring_.TakeRequest([&](const wire::FrameHeader& header) -> char* {
    frame.header = header;
    socket::AllocateBody(frame, origin_.session->budget(), header.body_bytes());
    return static_cast<char*>(frame.buffer.data());
  }));
  return Receive({origin_.service, origin_.session, shared_from_this()}, std::move(frame));
}

bool RingChannel::Awake() const {
  const Result<bool> request = ring_.HasRequest();
  return stopping_.load(std::memory_order_relaxed) || !request.ok() || *request;
}

bool RingChannel::Spin() {
  const std::int64_t budget_ns = spin_.budget_ns();
  if (budget_ns == 0) return false;
  // A client at full speed is back before the clock is looked at.
  if (AwakeSoon()) return true;
  const SteadyClock::time_point start = SteadyClock::now();
  do {
    if (AwakeSoon()) return true;
  } while (socket::NanosecondsSince(start) < budget_ns);
  spin_.Miss();
  return false;
}

bool RingChannel::AwakeSoon() {
  for (int i = 0; i < kPauses; ++i) {
    if (Awake()) {
      spin_.Hit();
      return true;
    }
    Pause();
  }
  return false;
}

void RingChannel::Wait() {
  if (Spin()) return;
  const SteadyClock::time_point start = SteadyClock::now();
  // Answers that begin to wait for room from now on end the sleep, or prevent it.
  const bool full = full_.load();
  ring_.Sleep(full ? kRetryNs : kSleepNsMax, [&] { return Awake() || full_.load() != full; });
  spin_.Slept(socket::NanosecondsSince(start));
}

void RingChannel::Send(wire::ByteBuffer frame) {
  if (frame.size() > ring_.slot_bytes()) frame = Shortened(frame, ring_.slot_bytes());
  {
    const MutexLock lock(mutex_);
    if (stopping_.load()) return;
    if (outbox_.empty()) {
      const Result<bool> sent = ring_.TryReply(frame.view());
      // A breach is noticed by the thread, at its next request.
      if (!sent.ok() || *sent) return;
    }
    outbox_.push_back(std::move(frame));
    full_.store(true);
  }
  // From now on the thread looks for room.
  if (std::this_thread::get_id() != server_.load()) ring_.Wake();
}

Status RingChannel::Flush() {
  while (!outbox_.empty()) {
    if (!MLOS_TRY(ring_.TryReply(outbox_.front().view()))) return OkStatus();
    outbox_.pop_front();
  }
  full_.store(false);
  return OkStatus();
}

}  // namespace mlos::api::ipc
