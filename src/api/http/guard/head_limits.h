// SPDX-License-Identifier: MIT
#pragma once

#include <cstddef>

namespace mlos::api::http::guard {

/// How large the head of a request may be.
struct HeadLimits {
  std::size_t request_line_bytes_max = 8 << 10;
  std::size_t bytes_max = 64 << 10;
  std::size_t count_max = 100;  ///< headers
};

}  // namespace mlos::api::http::guard
