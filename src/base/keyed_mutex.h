// SPDX-License-Identifier: MIT
#pragma once

#include <functional>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <utility>

#include "base/clock.h"
#include "base/mutex.h"

namespace mlos {

/// A mutex for each name: changes to one model follow each other, those to different models do not
/// wait. Thread-safe.
class KeyedMutex {
 public:
  /// Holds one name while it lives.
  class Lock {
   public:
    Lock(Lock&& other) noexcept
        : mutex_(std::exchange(other.mutex_, nullptr)), key_(std::move(other.key_)) {}
    Lock& operator=(Lock&&) = delete;
    ~Lock() {
      if (mutex_ != nullptr) mutex_->Release(key_);
    }

   private:
    friend class KeyedMutex;
    Lock(KeyedMutex& mutex, std::string key) : mutex_(&mutex), key_(std::move(key)) {}

    KeyedMutex* mutex_;
    std::string key_;
  };

  /// Waits for the name until `deadline`; nothing if others still hold it then.
  [[nodiscard]] std::optional<Lock> TryLock(std::string_view key, Deadline deadline) {
    const MutexLock lock(mutex_);
    while (held_.contains(key)) {
      if (!released_.WaitUntil(mutex_, deadline) && held_.contains(key)) return std::nullopt;
    }
    held_.emplace(key);
    return Lock(*this, std::string(key));
  }

 private:
  void Release(const std::string& key) {
    {
      const MutexLock lock(mutex_);
      held_.erase(key);
    }
    released_.NotifyAll();
  }

  Mutex mutex_;
  CondVar released_;
  std::set<std::string, std::less<>> held_ GUARDED_BY(mutex_);
};

}  // namespace mlos
