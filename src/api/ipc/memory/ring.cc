// SPDX-License-Identifier: MIT
#include "api/ipc/memory/ring.h"

#include <linux/futex.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <climits>
#include <cstring>
#include <ctime>
#include <string>

namespace mlos::api::ipc::memory {
namespace {

constexpr std::int64_t kSecondNs = 1'000'000'000;

// Not FUTEX_PRIVATE: the other side is another process.
void WakeAll(std::uint32_t* word) {
  ::syscall(SYS_futex, word, FUTEX_WAKE, INT_MAX, nullptr, nullptr, 0);
}

}  // namespace

Result<Ring> Ring::Create(Mapping mapping, wire::RingForm form) {
  const std::uint64_t wanted = RingLayout::kSlots + 2 * std::uint64_t{form.slots} * form.slot_bytes;
  if (mapping.size_bytes() < wanted) {
    return Status(Reason::kInvalidField, "the memfd of such a ring has " + std::to_string(wanted) +
                                             " bytes, not " + std::to_string(mapping.size_bytes()))
        .WithField("descriptor");
  }
  return Ring(std::move(mapping), form);
}

Result<bool> Ring::HasRequest() const {
  const std::uint32_t tail = Word(RingLayout::kRequestTail).load(std::memory_order_acquire);
  const std::uint32_t waiting = tail - request_head_;
  if (waiting > form_.slots) {
    return Status(Reason::kMalformedRequest, "the ring's index of requests makes no sense");
  }
  return waiting != 0;
}

const char* Ring::RequestSlot() const {
  const std::uint64_t slot = request_head_ & (form_.slots - 1);
  return mapping_.data() + RingLayout::kSlots + slot * form_.slot_bytes;
}

Result<wire::FrameHeader> Ring::Check(std::string_view bytes) const {
  const wire::FrameHeader header = MLOS_TRY(wire::DecodeHeader(bytes));
  if (header.frame_bytes > form_.slot_bytes) {
    return Status(Reason::kMalformedRequest, "a frame is longer than its slot");
  }
  if (header.descriptors != 0) {
    return Status(Reason::kMalformedRequest, "no descriptor travels through a ring");
  }
  return header;
}

Result<bool> Ring::TryReply(std::string_view frame) {
  const std::uint32_t head = Word(RingLayout::kReplyHead).load(std::memory_order_acquire);
  const std::uint32_t taken = reply_tail_ - head;
  if (taken > form_.slots) {
    return Status(Reason::kMalformedRequest, "the ring's index of replies makes no sense");
  }
  if (taken == form_.slots) return false;
  const std::uint64_t slot = form_.slots + (reply_tail_ & (form_.slots - 1));
  std::memcpy(mapping_.data() + RingLayout::kSlots + slot * form_.slot_bytes, frame.data(),
              frame.size());
  ++reply_tail_;
  // Sequentially consistent, as is the client's order of setting `sleeps` and looking at the tail.
  Word(RingLayout::kReplyTail).store(reply_tail_);
  if (Word(RingLayout::kReplySleeps).load() != 0) {
    Word(RingLayout::kReplyBell).fetch_add(1);
    WakeAll(reinterpret_cast<std::uint32_t*>(mapping_.data() + RingLayout::kReplyBell));
  }
  return true;
}

void Ring::Wait(std::uint32_t seen, std::int64_t timeout_ns) const {
  timespec timeout{};
  timeout.tv_sec = timeout_ns / kSecondNs;
  timeout.tv_nsec = timeout_ns % kSecondNs;
  ::syscall(SYS_futex, mapping_.data() + RingLayout::kRequestBell, FUTEX_WAIT, seen, &timeout,
            nullptr, 0);
}

void Ring::Wake() {
  Word(RingLayout::kRequestBell).fetch_add(1);
  WakeAll(reinterpret_cast<std::uint32_t*>(mapping_.data() + RingLayout::kRequestBell));
}

}  // namespace mlos::api::ipc::memory
