// SPDX-License-Identifier: MIT
#pragma once

#include <atomic>
#include <cstdint>
#include <cstring>
#include <string_view>
#include <utility>

#include "api/ipc/memory/region.h"
#include "api/ipc/wire/frame.h"
#include "base/result.h"

namespace mlos::api::ipc::memory {

/// Where the words of a ring lie, from its start; each has a cache line of its own. Tails and heads
/// count frames and wrap; a bell is what its side sleeps on while it has set `sleeps`.
struct RingLayout {
  static constexpr std::uint64_t kRequestTail = 0;      ///< the client's
  static constexpr std::uint64_t kRequestHead = 64;     ///< Core's
  static constexpr std::uint64_t kRequestBell = 128;    ///< rung by the client
  static constexpr std::uint64_t kRequestSleeps = 192;  ///< Core's
  static constexpr std::uint64_t kReplyTail = 256;      ///< Core's
  static constexpr std::uint64_t kReplyHead = 320;      ///< the client's
  static constexpr std::uint64_t kReplyBell = 384;      ///< rung by Core
  static constexpr std::uint64_t kReplySleeps = 448;    ///< the client's
  static constexpr std::uint64_t kSlots = 4096;         ///< of requests, then of replies
};

/// Core's side of a ring in a client's memory. What the client writes is read once and checked; its
/// own places Core keeps to itself. Requests are for one thread, replies for one at a time; Ring
/// rings from any.
class Ring {
 public:
  /// INVALID_FIELD where the memory is smaller than the form says.
  static Result<Ring> Create(Mapping mapping, wire::RingForm form);

  std::uint32_t slot_bytes() const { return form_.slot_bytes; }

  /// Whether a request waits. MALFORMED_REQUEST where the client's index makes no sense.
  Result<bool> HasRequest() const;
  /// Copies the next request, which there must be: `take(header)` says where the body goes (null to
  /// drop it). MALFORMED_REQUEST, PAYLOAD_TOO_LARGE.
  template <typename Take>
  Status TakeRequest(Take take) {
    const char* const slot = RequestSlot();
    // Copied first: the client may write to it at any time.
    char header_bytes[wire::kHeaderBytes];
    std::memcpy(header_bytes, slot, sizeof(header_bytes));
    const wire::FrameHeader header = MLOS_TRY(Check({header_bytes, sizeof(header_bytes)}));
    char* const body = take(header);
    if (body != nullptr) std::memcpy(body, slot + sizeof(header_bytes), header.body_bytes());
    ++request_head_;
    Word(RingLayout::kRequestHead).store(request_head_, std::memory_order_release);
    return OkStatus();
  }

  /// Puts a frame of at most slot_bytes into the next reply slot and rings; false where all of them
  /// are taken. MALFORMED_REQUEST where the client's index makes no sense.
  Result<bool> TryReply(std::string_view frame);

  /// Sleeps until the client rings, or Wake is called, or for `timeout_ns`, unless `awake` says
  /// that there is something to do. A client can prevent all of these but the timeout.
  template <typename Awake>
  void Sleep(std::int64_t timeout_ns, Awake awake) {
    const std::uint32_t seen = Word(RingLayout::kRequestBell).load();
    Word(RingLayout::kRequestSleeps).store(1);
    if (!awake()) Wait(seen, timeout_ns);
    Word(RingLayout::kRequestSleeps).store(0);
  }
  /// Ends Sleep.
  void Wake();

 private:
  Ring(Mapping mapping, wire::RingForm form) : mapping_(std::move(mapping)), form_(form) {}
  // Lock-free 32-bit words are what both sides agree on.
  static_assert(std::atomic<std::uint32_t>::is_always_lock_free);
  std::atomic_ref<std::uint32_t> Word(std::uint64_t offset) const {
    return std::atomic_ref(*reinterpret_cast<std::uint32_t*>(mapping_.data() + offset));
  }
  const char* RequestSlot() const;
  Result<wire::FrameHeader> Check(std::string_view header) const;
  void Wait(std::uint32_t seen, std::int64_t timeout_ns) const;

  Mapping mapping_;
  wire::RingForm form_;
  std::uint32_t request_head_ = 0;
  std::uint32_t reply_tail_ = 0;
};

}  // namespace mlos::api::ipc::memory
