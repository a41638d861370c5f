// SPDX-License-Identifier: MIT
#include "resource/byte_budget.h"

#include <string>

#include "base/check.h"

namespace mlos::resource {

ByteBudget::~ByteBudget() { MLOS_CHECK(used() == 0, "a reservation outlives its budget"); }

bool ByteBudget::TryAdd(std::uint64_t bytes, std::uint64_t most) {
  std::uint64_t used = used_.load(std::memory_order_relaxed);
  do {
    if (bytes > most || used > most - bytes) return false;
  } while (!used_.compare_exchange_weak(used, used + bytes, std::memory_order_relaxed));
  return true;
}

Status ByteBudget::Add(std::uint64_t bytes) {
  if (whole_ != nullptr) return AddToAccount(bytes);
  return TryAdd(bytes, rule_.limit()) ? OkStatus() : ExceedsLimit(bytes);
}

Status ByteBudget::AddToAccount(std::uint64_t bytes) {
  // Beyond it, a sum could wrap around.
  if (bytes > rule_.limit()) return whole_->ExceedsLimit(bytes);
  // Counted first, so that two at once do not both take the last of the
  // account's half.
  const std::uint64_t before = used_.fetch_add(bytes, std::memory_order_relaxed);
  const bool within_half = before + bytes <= rule_.half();
  if (whole_->TryAdd(bytes, within_half ? rule_.limit() : rule_.most())) return OkStatus();
  used_.fetch_sub(bytes, std::memory_order_relaxed);
  if (within_half) return whole_->ExceedsLimit(bytes);
  return {Reason::kOverloaded,
          std::to_string(bytes) +
              " more bytes in flight would exceed this caller's share: it has " +
              std::to_string(before) + ", and beyond its half of " + std::to_string(rule_.half()) +
              " an eighth of the limit stays free for others (of " + std::to_string(rule_.limit()) +
              ", " + std::to_string(whole_->used()) + " are in use); try again later"};
}

Status ByteBudget::ExceedsLimit(std::uint64_t bytes) const {
  return {Reason::kOverloaded, std::to_string(bytes) +
                                   " more bytes in flight would exceed the limit of " +
                                   std::to_string(rule_.limit()) + " (" + std::to_string(used()) +
                                   " are in use); try again later"};
}

Result<Reservation> ByteBudget::Reserve(std::uint64_t bytes) {
  MLOS_TRY(Add(bytes));
  return Reservation(*this, bytes);
}

Status Reservation::Resize(std::uint64_t bytes) {
  MLOS_CHECK(budget_ != nullptr, "Resize of a reservation of no budget");
  if (bytes > bytes_) {
    MLOS_TRY(budget_->Add(bytes - bytes_));
  } else {
    budget_->Subtract(bytes_ - bytes);
  }
  bytes_ = bytes;
  return OkStatus();
}

}  // namespace mlos::resource
