// SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>

namespace mlos::api::http::call {

/// What the calls of the server go by.
struct Options {
  std::uint64_t body_bytes_max = 256ULL << 20;
};

}  // namespace mlos::api::http::call
