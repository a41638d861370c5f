// SPDX-License-Identifier: MIT
#pragma once

#include <sys/resource.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <system_error>
#include <thread>
#include <vector>

namespace mlos {

/// The cores of the machine; 1 where that cannot be told.
inline std::uint32_t CoreCount() { return std::max(1U, std::thread::hardware_concurrency()); }

/// `threads`, or one for each core if that is 0.
inline std::uint32_t ThreadsOrCores(std::uint32_t threads) {
  return threads != 0 ? threads : CoreCount();
}

/// Calls `work` on a thread that gives way to others wherever they want to compute, and returns
/// when it is done; on this one if no thread can be started. What others wait for, such as a load,
/// is not to be done there.
template <typename Work>
void WithLowestPriority(const Work& work) {
  std::thread helper;
  try {
    helper = std::thread([&] {
      // A kernel that refuses this only lets it compete.
      constexpr int kLowest = 19;
      ::setpriority(PRIO_PROCESS, static_cast<id_t>(::gettid()), kLowest);
      work();
    });
  } catch (const std::system_error&) {
    return work();
  }
  helper.join();
}

/// Calls `work` with each number below `count`, in order, on this thread and so many others that
/// there are `threads`, or fewer if no more can be started; returns when all is done.
template <typename Work>
void SideBySide(std::size_t threads, std::size_t count, const Work& work) {
  std::atomic<std::size_t> next{0};
  const auto serve = [&] {
    for (std::size_t number = next++; number < count; number = next++) work(number);
  };
  std::vector<std::thread> helpers;
  try {
    while (helpers.size() + 1 < std::min(threads, count)) helpers.emplace_back(serve);
  } catch (const std::system_error&) {
  }
  serve();
  for (std::thread& helper : helpers) helper.join();
}

}  // namespace mlos
