// SPDX-License-Identifier: MIT
#pragma once

#include <atomic>
#include <cstdint>
#include <utility>

#include "base/result.h"

namespace mlos::resource {

class Reservation;

/// A cap on bytes that are in flight at once: request bodies, parser indexes, tensors. Code
/// reserves bytes before it holds them and is refused if there are none, so that the process does
/// not run out of memory. The budget outlives its reservations. Thread-safe, without a lock.
class ByteBudget {
 public:
  explicit ByteBudget(std::uint64_t limit) : limit_(limit) {}
  ByteBudget(const ByteBudget&) = delete;
  ByteBudget& operator=(const ByteBudget&) = delete;
  /// Aborts if reservations are left: they would give bytes back to a destroyed budget.
  ~ByteBudget();

  /// Counts `bytes` until the reservation dies. OVERLOADED, with nothing counted, if they would
  /// exceed the limit.
  Result<Reservation> Reserve(std::uint64_t bytes);

  std::uint64_t used() const { return used_.load(std::memory_order_relaxed); }
  std::uint64_t limit() const { return limit_; }

 private:
  friend class Reservation;
  Status Add(std::uint64_t bytes);
  void Subtract(std::uint64_t bytes) { used_.fetch_sub(bytes, std::memory_order_relaxed); }

  const std::uint64_t limit_;
  std::atomic<std::uint64_t> used_{0};
};

/// A share of a ByteBudget, given back on destruction. Move-only; thread-compatible.
class Reservation {
 public:
  /// An empty share that belongs to no budget.
  Reservation() = default;
  Reservation(Reservation&& other) noexcept { *this = std::move(other); }
  Reservation& operator=(Reservation&& other) noexcept {
    std::swap(budget_, other.budget_);
    std::swap(bytes_, other.bytes_);
    return *this;
  }
  ~Reservation() {
    if (budget_ != nullptr) budget_->Subtract(bytes_);
  }

  /// Grows or shrinks the share to `bytes`. OVERLOADED, with the share unchanged, if the budget has
  /// too little left. Requires a reservation made by ByteBudget::Reserve.
  Status Resize(std::uint64_t bytes);
  std::uint64_t bytes() const { return bytes_; }

 private:
  friend class ByteBudget;
  Reservation(ByteBudget& budget, std::uint64_t bytes) : budget_(&budget), bytes_(bytes) {}

  ByteBudget* budget_ = nullptr;
  std::uint64_t bytes_ = 0;
};

}  // namespace mlos::resource
