// SPDX-License-Identifier: MIT
#pragma once

#include <atomic>
#include <cstdint>
#include <utility>

#include "base/result.h"

namespace mlos::resource {

class Reservation;

/// A cap on bytes that are in flight at once: request bodies, parser indexes, tensors. Whoever is
/// about to hold bytes reserves them first and is refused, rather than the process running out of
/// memory. Outlives its reservations. Thread-safe, without a lock.
class ByteBudget {
 public:
  explicit ByteBudget(std::uint64_t limit) : limit_(limit) {}
  ByteBudget(const ByteBudget&) = delete;
  ByteBudget& operator=(const ByteBudget&) = delete;
  /// Aborts where reservations are left: they would give back to a budget that is gone.
  ~ByteBudget();

  /// Counts `bytes` until the reservation dies. OVERLOADED, with nothing counted, where they would
  /// go over the limit.
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
  /// Nothing of no budget.
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

  /// Grows or shrinks the share to `bytes`. OVERLOADED, with the share as it was, where the budget
  /// has not that much left. Requires a reservation made by ByteBudget::Reserve.
  Status Resize(std::uint64_t bytes);
  std::uint64_t bytes() const { return bytes_; }

 private:
  friend class ByteBudget;
  Reservation(ByteBudget& budget, std::uint64_t bytes) : budget_(&budget), bytes_(bytes) {}

  ByteBudget* budget_ = nullptr;
  std::uint64_t bytes_ = 0;
};

}  // namespace mlos::resource
