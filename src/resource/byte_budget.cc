// SPDX-License-Identifier: MIT
#include "resource/byte_budget.h"

#include <string>

#include "base/check.h"

namespace mlos::resource {

ByteBudget::~ByteBudget() { MLOS_CHECK(used() == 0, "a reservation outlives its budget"); }

Status ByteBudget::Add(std::uint64_t bytes) {
  std::uint64_t used = used_.load(std::memory_order_relaxed);
  do {
    // `used` never exceeds the limit, so the difference cannot wrap, whatever `bytes` is.
    if (bytes > limit_ - used) {
      return {Reason::kOverloaded, std::to_string(bytes) +
                                       " more bytes in flight would exceed the limit of " +
                                       std::to_string(limit_) + " (" + std::to_string(used) +
                                       " are in use); try again later"};
    }
  } while (!used_.compare_exchange_weak(used, used + bytes, std::memory_order_relaxed));
  return OkStatus();
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
