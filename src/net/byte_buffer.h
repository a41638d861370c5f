// SPDX-License-Identifier: MIT
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <string_view>
#include <utility>

#include "base/status.h"
#include "resource/byte_budget.h"

namespace mlos::net {

/// Readable bytes behind a body or a document, which simdjson reads in wide steps.
inline constexpr std::size_t kBodyPaddingBytes = 64;

/// A growing buffer for bytes that arrive or are written. Beyond a small size it is counted against
/// a budget. It does not initialise its memory.
///
/// A failure sticks: once the budget or the allocator has refused memory, appended bytes are
/// dropped and `status` tells why, so that encoders need to check only once, at the end. Move-only;
/// thread-compatible.
class ByteBuffer {
 public:
  /// Buffers up to this size are not counted: connections are limited already.
  static constexpr std::size_t kUncountedBytes = 16 << 10;

  /// Uncounted.
  ByteBuffer() = default;
  /// Counted against `budget`, which must outlive it.
  explicit ByteBuffer(resource::ByteBudget& budget) : budget_(&budget) {}
  ByteBuffer(ByteBuffer&& other) noexcept
      : data_(std::exchange(other.data_, nullptr)),
        size_(std::exchange(other.size_, 0)),
        capacity_(std::exchange(other.capacity_, 0)),
        expected_(std::exchange(other.expected_, 0)),
        budget_(std::exchange(other.budget_, nullptr)),
        reservation_(std::move(other.reservation_)),
        status_(std::move(other.status_)) {}
  ByteBuffer& operator=(ByteBuffer&& other) noexcept;
  ~ByteBuffer();

  char* data() { return data_; }
  const char* data() const { return data_; }
  std::size_t size() const { return size_; }
  std::size_t capacity() const { return capacity_; }
  bool empty() const { return size_ == 0; }
  std::string_view view() const { return {data_, size_}; }
  /// OVERLOADED or PAYLOAD_TOO_LARGE (it could never fit the budget), OUT_OF_MEMORY.
  const Status& status() const { return status_; }

  /// Makes room for `extra` bytes behind the end and returns their start. If there is no room,
  /// returns null and the status is a failure.
  char* Prepare(std::size_t extra) {
    if (capacity_ - size_ < extra && !Grow(extra)) return nullptr;
    return data_ + size_;
  }
  /// Takes `count` bytes written behind the end for its own.
  void Commit(std::size_t count) { size_ += count; }

  // Inline, so that a field of a known size is one move.
  void Append(std::string_view text) {
    if (text.empty()) return;
    if (char* end = Prepare(text.size())) {
      std::memcpy(end, text.data(), text.size());
      size_ += text.size();
    }
  }
  void Append(char c) {
    if (char* end = Prepare(1)) {
      *end = c;
      ++size_;
    }
  }

  /// Says that about `bytes` will come in all: memory is taken as they arrive, but not beyond.
  void Expect(std::size_t bytes) { expected_ = bytes; }

  /// Puts `count` zero bytes behind the end, without counting them as content: code that reads in
  /// wide steps may read them. False if there is no room for them.
  bool Pad(std::size_t count);

  /// Drops the first `count` bytes.
  void Consume(std::size_t count);
  /// Drops all bytes and keeps the memory.
  void Clear() { size_ = 0; }

 private:
  bool Grow(std::size_t extra);
  Status Count(std::size_t capacity);

  char* data_ = nullptr;
  std::size_t size_ = 0;
  std::size_t capacity_ = 0;
  std::size_t expected_ = 0;
  resource::ByteBudget* budget_ = nullptr;
  resource::Reservation reservation_;
  Status status_;
};

/// Raises `reservation`, a share of `budget`, to `bytes`. OVERLOADED if others hold the rest,
/// PAYLOAD_TOO_LARGE if the budget as a whole is smaller.
Status RaiseReservation(resource::ByteBudget& budget, resource::Reservation& reservation,
                        std::uint64_t bytes);

}  // namespace mlos::net
