// SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>

namespace mlos::api::door {

/// The threads that work is done on.
enum class Executor : std::uint8_t {
  kEventThread,  ///< the connection's own: microseconds; small messages only
  kWorker,       ///< milliseconds
  kManager,      ///< unloads, removes, registers what is known already; writes files
  kLoader,       ///< loads models and plugins: seconds to minutes, few at once
};

}  // namespace mlos::api::door
