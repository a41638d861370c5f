// SPDX-License-Identifier: MIT
#pragma once

#include <algorithm>
#include <cstdint>
#include <thread>

namespace mlos {

/// The cores of the machine; 1 where that cannot be told.
inline std::uint32_t CoreCount() { return std::max(1U, std::thread::hardware_concurrency()); }

/// `threads`, or one for each core if that is 0.
inline std::uint32_t ThreadsOrCores(std::uint32_t threads) {
  return threads != 0 ? threads : CoreCount();
}

}  // namespace mlos
