// SPDX-License-Identifier: MIT
#include "net/byte_buffer.h"

#include <algorithm>
#include <cstdlib>
#include <cstring>
#include <string>

namespace mlos::net {
namespace {

constexpr std::size_t kCapacityMin = 1 << 10;

}  // namespace

ByteBuffer& ByteBuffer::operator=(ByteBuffer&& other) noexcept {
  std::swap(data_, other.data_);
  std::swap(size_, other.size_);
  std::swap(capacity_, other.capacity_);
  std::swap(expected_, other.expected_);
  std::swap(budget_, other.budget_);
  std::swap(reservation_, other.reservation_);
  std::swap(status_, other.status_);
  return *this;
}

ByteBuffer::~ByteBuffer() { std::free(data_); }

bool ByteBuffer::Pad(std::size_t count) {
  char* end = Prepare(count);
  if (end != nullptr) std::memset(end, 0, count);
  return end != nullptr;
}

void ByteBuffer::Consume(std::size_t count) {
  size_ -= count;
  if (size_ != 0) std::memmove(data_, data_ + count, size_);
}

// realloc moves large blocks by remapping their pages, so doubling does not copy them.
bool ByteBuffer::Grow(std::size_t extra) {
  if (!status_.ok()) return false;
  std::size_t capacity = std::max({size_ + extra, capacity_ * 2, kCapacityMin});
  if (size_ + extra <= expected_) capacity = std::min(capacity, expected_);
  status_ = Count(capacity);
  if (!status_.ok()) return false;
  void* data = std::realloc(data_, capacity);
  if (data == nullptr) {
    status_ = Status(Reason::kOutOfMemory,
                     "a buffer of " + std::to_string(capacity) + " bytes cannot be allocated");
    return false;
  }
  data_ = static_cast<char*>(data);
  capacity_ = capacity;
  return true;
}

Status ByteBuffer::Count(std::size_t capacity) {
  if (budget_ == nullptr || capacity <= kUncountedBytes) return OkStatus();
  return RaiseReservation(*budget_, reservation_, capacity);
}

Status RaiseReservation(resource::ByteBudget& budget, resource::Reservation& reservation,
                        std::uint64_t bytes) {
  if (bytes > budget.limit()) {
    return {Reason::kPayloadTooLarge, "the request needs more than the " +
                                          std::to_string(budget.limit()) +
                                          " bytes that a caller's requests together may hold"};
  }
  if (reservation.bytes() != 0) return reservation.Resize(bytes);
  reservation = MLOS_TRY(budget.Reserve(bytes));
  return OkStatus();
}

}  // namespace mlos::net
