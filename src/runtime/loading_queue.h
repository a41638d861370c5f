// SPDX-License-Identifier: MIT
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

#include "base/clock.h"
#include "base/mutex.h"
#include "base/status.h"
#include "engine/cancellation.h"

namespace mlos::runtime {

/// Requests for models that are being loaded: each waits until its model is loaded, or will not be,
/// or until its own time is over. A thread that starts with the first of them tells them.
/// Thread-safe.
class LoadingQueue {
 public:
  using Resume = std::function<void(Status)>;

  /// So many may wait.
  explicit LoadingQueue(std::size_t length_max) : length_max_(length_max) {}
  LoadingQueue(const LoadingQueue&) = delete;
  LoadingQueue& operator=(const LoadingQueue&) = delete;
  /// As Close.
  ~LoadingQueue() { Close(); }

  /// Calls `resume` once, maybe before it returns: with OK after Settled(model_id), MODEL_LOADING
  /// at `until`, CANCELLED, DRAINING after Close, or OVERLOADED if too many wait already.
  /// `cancellation` may be null.
  void Wait(std::string_view model_id, Deadline until,
            std::shared_ptr<const engine::Cancellation> cancellation, Resume resume);
  /// Nobody loads the model any more: it is loaded, or is not going to be.
  void Settled(std::string_view model_id);
  /// Tells all, those that come later at once. None is being told when it returns.
  void Close();

  std::uint32_t waiting(std::string_view model_id) const;

 private:
  struct Waiter {
    const std::string model_id;
    const Deadline until;
    const std::shared_ptr<const engine::Cancellation> cancellation;
    const Resume resume;
    // Of the queue, under its lock.
    bool settled = false;
    bool cancelled = false;
  };
  struct Due {
    std::shared_ptr<Waiter> waiter;
    Status outcome;
  };

  void WatchCaller(const std::shared_ptr<Waiter>& waiter);
  /// Why the next request may not wait.
  Status CheckRoom() REQUIRES(mutex_);
  void Serve();
  /// Takes out those who need not wait any more.
  std::vector<Due> TakeDue(SteadyClock::time_point now) REQUIRES(mutex_);
  /// What the request is told, if it need not wait any more.
  std::optional<Status> OutcomeOf(const Waiter& waiter, SteadyClock::time_point now) const
      REQUIRES(mutex_);
  SteadyClock::time_point Next() const REQUIRES(mutex_);
  static void Tell(Waiter& waiter, Status outcome);

  const std::size_t length_max_;
  mutable Mutex mutex_;
  CondVar changed_;
  std::vector<std::shared_ptr<Waiter>> waiters_ GUARDED_BY(mutex_);
  bool closed_ GUARDED_BY(mutex_) = false;
  std::thread thread_ GUARDED_BY(mutex_);
};

}  // namespace mlos::runtime
