// SPDX-License-Identifier: MIT
#pragma once

#include <set>
#include <string>
#include <string_view>

#include "base/mutex.h"

namespace mlos {

/// A mutex for each name: changes to one model follow each other, those to different models do not
/// wait. Thread-safe.
class KeyedMutex {
 public:
  /// Holds one name for a scope.
  class Lock {
   public:
    Lock(KeyedMutex& mutex, std::string_view key) : mutex_(mutex), key_(key) {
      const MutexLock lock(mutex_.mutex_);
      while (!mutex_.held_.insert(key_).second) mutex_.released_.Wait(mutex_.mutex_);
    }
    Lock(const Lock&) = delete;
    Lock& operator=(const Lock&) = delete;
    ~Lock() {
      {
        const MutexLock lock(mutex_.mutex_);
        mutex_.held_.erase(key_);
      }
      mutex_.released_.NotifyAll();
    }

   private:
    KeyedMutex& mutex_;
    const std::string key_;
  };

 private:
  Mutex mutex_;
  CondVar released_;
  std::set<std::string> held_ GUARDED_BY(mutex_);
};

}  // namespace mlos
