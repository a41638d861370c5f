// SPDX-License-Identifier: MIT
#pragma once

#include <atomic>
#include <chrono>
#include <functional>
#include <thread>

#include "base/mutex.h"

namespace mlos::runtime {

/// Looks over the files of all models now and then, on a thread of its own. Thread-safe.
class Scrubber {
 public:
  /// Looks over all; ends early once it is told to stop.
  using Check = std::function<void(const std::atomic<bool>& stop)>;

  /// No thread if `interval` is zero. The first look is after one.
  Scrubber(std::chrono::seconds interval, Check check);
  Scrubber(const Scrubber&) = delete;
  Scrubber& operator=(const Scrubber&) = delete;
  ~Scrubber() { Stop(); }

  void Stop();

 private:
  void Serve(std::chrono::seconds interval);

  const Check check_;
  std::atomic<bool> stop_{false};
  Mutex mutex_;
  CondVar stopped_;
  std::thread thread_;
};

}  // namespace mlos::runtime
