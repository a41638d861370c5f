// SPDX-License-Identifier: MIT
#include "runtime/loading_queue.h"

#include <algorithm>
#include <system_error>
#include <utility>

namespace mlos::runtime {

void LoadingQueue::Wait(std::string_view model_id, Deadline until,
                        std::shared_ptr<const engine::Cancellation> cancellation, Resume resume) {
  const auto waiter = std::make_shared<Waiter>(
      Waiter{std::string(model_id), until, std::move(cancellation), std::move(resume)});
  // Before it is in the queue, from which it could be taken at once. Without the lock, which is
  // taken when the caller leaves.
  WatchCaller(waiter);
  Status refusal;
  {
    const MutexLock lock(mutex_);
    refusal = CheckRoom();
    if (refusal.ok()) {
      waiters_.push_back(waiter);
      changed_.NotifyOne();
    }
  }
  if (!refusal.ok()) Tell(*waiter, std::move(refusal));
}

void LoadingQueue::WatchCaller(const std::shared_ptr<Waiter>& waiter) {
  if (waiter->cancellation == nullptr) return;
  waiter->cancellation->Watch(waiter.get(), [this, weak = std::weak_ptr<Waiter>(waiter)] {
    const auto left = weak.lock();
    if (left == nullptr) return;
    const MutexLock lock(mutex_);
    left->cancelled = true;
    changed_.NotifyOne();
  });
}

Status LoadingQueue::CheckRoom() {
  if (closed_) return {Reason::kDraining, "Core is shutting down"};
  if (waiters_.size() >= length_max_) {
    return {Reason::kOverloaded, std::to_string(length_max_) +
                                     " requests wait for models to be loaded already; try again "
                                     "later"};
  }
  if (thread_.joinable()) return OkStatus();
  try {
    thread_ = std::thread([this] { Serve(); });
  } catch (const std::system_error&) {
    return {Reason::kOverloaded, "no thread can be started to wait for the model"};
  }
  return OkStatus();
}

void LoadingQueue::Settled(std::string_view model_id) {
  const MutexLock lock(mutex_);
  for (const auto& waiter : waiters_) {
    if (waiter->model_id == model_id) waiter->settled = true;
  }
  changed_.NotifyOne();
}

void LoadingQueue::Close() {
  std::thread thread;
  {
    const MutexLock lock(mutex_);
    closed_ = true;
    changed_.NotifyOne();
    std::swap(thread, thread_);
  }
  if (thread.joinable()) thread.join();
}

std::uint32_t LoadingQueue::waiting(std::string_view model_id) const {
  const MutexLock lock(mutex_);
  return static_cast<std::uint32_t>(std::ranges::count_if(
      waiters_, [&](const auto& waiter) { return waiter->model_id == model_id; }));
}

void LoadingQueue::Serve() {
  const MutexLock lock(mutex_);
  while (true) {
    std::vector<Due> due = TakeDue(SteadyClock::now());
    if (!due.empty()) {
      mutex_.unlock();
      for (Due& one : due) Tell(*one.waiter, std::move(one.outcome));
      due.clear();
      mutex_.lock();
    } else if (closed_) {
      return;
    } else {
      changed_.WaitUntil(mutex_, Next());
    }
  }
}

std::vector<LoadingQueue::Due> LoadingQueue::TakeDue(SteadyClock::time_point now) {
  std::vector<Due> due;
  std::vector<std::shared_ptr<Waiter>> left;
  for (const auto& waiter : waiters_) {
    if (std::optional<Status> outcome = OutcomeOf(*waiter, now)) {
      due.push_back({waiter, *std::move(outcome)});
    } else {
      left.push_back(waiter);
    }
  }
  waiters_ = std::move(left);
  return due;
}

std::optional<Status> LoadingQueue::OutcomeOf(const Waiter& waiter,
                                              SteadyClock::time_point now) const {
  if (waiter.cancelled) return Status(Reason::kCancelled, "the caller went away");
  if (waiter.settled) return OkStatus();
  if (closed_) return Status(Reason::kDraining, "Core is shutting down");
  if (now < waiter.until) return std::nullopt;
  return Status(Reason::kModelLoading,
                "model '" + waiter.model_id + "' is still being loaded; try again later");
}

SteadyClock::time_point LoadingQueue::Next() const {
  Deadline next = kNoDeadline;
  for (const auto& waiter : waiters_) next = std::min(next, waiter->until);
  return next;
}

void LoadingQueue::Tell(Waiter& waiter, Status outcome) {
  if (waiter.cancellation != nullptr) waiter.cancellation->Forget(&waiter);
  waiter.resume(std::move(outcome));
}

}  // namespace mlos::runtime
