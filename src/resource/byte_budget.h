// SPDX-License-Identifier: MIT
#pragma once

#include <atomic>
#include <cstdint>
#include <utility>

#include "base/result.h"
#include "resource/share_rule.h"

namespace mlos::resource {

class Reservation;

/// A cap on bytes that are in flight at once: request bodies, parser indexes, tensors. Code
/// reserves bytes before it holds them and is refused if there are none, so that the process does
/// not run out of memory. The budget outlives its reservations. Thread-safe, without a lock.
///
/// An account is the budget of one caller: what is reserved with it is reserved of the whole too,
/// by the ShareRule, so that no caller keeps others from half of the whole.
class ByteBudget {
 public:
  explicit ByteBudget(std::uint64_t limit) : rule_(limit) {}
  /// An account with `whole`, which must outlive it and is no account itself.
  explicit ByteBudget(ByteBudget* whole) : rule_(whole->rule_), whole_(whole) {}
  ByteBudget(const ByteBudget&) = delete;
  ByteBudget& operator=(const ByteBudget&) = delete;
  /// Aborts if reservations are left: they would give bytes back to a destroyed budget.
  ~ByteBudget();

  /// Counts `bytes` until the reservation dies. OVERLOADED, with nothing
  /// counted, if they would exceed the limit, or the share of the account.
  Result<Reservation> Reserve(std::uint64_t bytes);

  std::uint64_t used() const { return used_.load(std::memory_order_relaxed); }
  /// The most that could be reserved if nothing else were.
  std::uint64_t limit() const { return whole_ == nullptr ? rule_.limit() : rule_.most(); }

 private:
  friend class Reservation;
  Status Add(std::uint64_t bytes);
  Status AddToAccount(std::uint64_t bytes);
  /// Adds to the whole if that then has at most `most`.
  bool TryAdd(std::uint64_t bytes, std::uint64_t most);
  void Subtract(std::uint64_t bytes) {
    used_.fetch_sub(bytes, std::memory_order_relaxed);
    if (whole_ != nullptr) whole_->used_.fetch_sub(bytes, std::memory_order_relaxed);
  }
  Status ExceedsLimit(std::uint64_t bytes) const;

  const ShareRule rule_;  ///< of the whole
  ByteBudget* const whole_ = nullptr;
  std::atomic<std::uint64_t> used_{0};
};

/// A share of a ByteBudget, given back on destruction. Move-only; thread-compatible.
class Reservation {
 public:
  /// An empty share that belongs to no budget.
  Reservation() = default;
  Reservation(Reservation&& other) noexcept
      : budget_(std::exchange(other.budget_, nullptr)), bytes_(std::exchange(other.bytes_, 0)) {}
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
