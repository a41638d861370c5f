// SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>

#include "net/byte_buffer.h"

namespace mlos::api::http::tensors {

/// What a request holds of the budget besides its body: its tensors. Lives as long as they do.
/// Thread-compatible.
class RequestMemory {
 public:
  explicit RequestMemory(resource::ByteBudget& budget) : budget_(&budget) {}

  /// OVERLOADED or PAYLOAD_TOO_LARGE.
  Status Add(std::uint64_t bytes) {
    return net::RaiseReservation(*budget_, reservation_, reservation_.bytes() + bytes);
  }
  resource::ByteBudget& budget() const { return *budget_; }

 private:
  resource::ByteBudget* budget_;
  resource::Reservation reservation_;
};

}  // namespace mlos::api::http::tensors
