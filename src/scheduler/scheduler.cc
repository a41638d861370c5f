// SPDX-License-Identifier: MIT
#include "scheduler/scheduler.h"

#include <algorithm>
#include <string>
#include <utility>

namespace mlos::scheduler {

Status Overload(std::uint32_t queue_length_max) {
  return {Reason::kOverloaded,
          std::to_string(queue_length_max) + " requests wait already; try again later"};
}

Scheduler::Scheduler(const SchedulerOptions& options) : options_(options) {
  const std::uint32_t threads =
      options.threads != 0 ? options.threads : std::max(1U, std::thread::hardware_concurrency());
  threads_.reserve(threads);
  for (std::uint32_t i = 0; i < threads; ++i) threads_.emplace_back([this] { Work(); });
}

Scheduler::~Scheduler() {
  std::deque<std::unique_ptr<Job>> left;
  {
    const MutexLock lock(mutex_);
    stopping_ = true;
    left.swap(queue_);
  }
  work_.NotifyAll();
  for (const std::unique_ptr<Job>& job : left) {
    job->Refuse({Reason::kDraining, "Core stopped before the request could be run"},
                MicrosecondsBetween(job->queued_at_, SteadyClock::now()));
  }
  for (std::thread& thread : threads_) thread.join();
}

Status Scheduler::CheckTime(const Job& job) {
  if (job.cancelled()) return {Reason::kCancelled, "the caller cancelled the request"};
  if (job.deadline_ != kNoDeadline && job.deadline_ <= SteadyClock::now()) {
    return {Reason::kDeadlineExceeded, "the deadline passed before the request could be run"};
  }
  return OkStatus();
}

Status Scheduler::CheckWanted(const Job& job) const {
  if (draining_.load()) return {Reason::kDraining, "Core is shutting down"};
  return CheckTime(job);
}

void Scheduler::Submit(std::unique_ptr<Job> job) {
  active_.fetch_add(1);
  if (Status wanted = CheckWanted(*job); !wanted.ok()) {
    job->Refuse(std::move(wanted), 0);
  } else if (RunsInline(*job)) {
    job->Run(0);
    if (job->unfinished()) {
      Requeue(std::move(job));
      return work_.NotifyOne();
    }
  } else {
    return Enqueue(std::move(job));
  }
  job.reset();
  Leave();
}

bool Scheduler::RunsInline(const Job& job) const {
  return IsShort(job) && job.lane_.waiting() == 0;
}

void Scheduler::Enqueue(std::unique_ptr<Job> job) {
  if (TryPush(job)) return work_.NotifyOne();
  job->Refuse(Overload(options_.queue_length_max), 0);
  job.reset();
  Leave();
}

bool Scheduler::TryPush(std::unique_ptr<Job>& job) {
  const MutexLock lock(mutex_);
  if (queue_.size() >= options_.queue_length_max) return false;
  job->queued_at_ = SteadyClock::now();
  job->lane_.waiting_.fetch_add(1, std::memory_order_relaxed);
  queue_.push_back(std::move(job));
  return true;
}

void Scheduler::Work() {
  while (std::unique_ptr<Job> job = Dequeue()) {
    RunOrRefuse(*job);
    if (job->unfinished()) {
      Requeue(std::move(job));
      continue;
    }
    job.reset();
    Leave();
  }
}

std::unique_ptr<Job> Scheduler::Dequeue() {
  const MutexLock lock(mutex_);
  while (queue_.empty() && !stopping_) work_.Wait(mutex_);
  if (queue_.empty()) return nullptr;
  std::unique_ptr<Job> job = std::move(queue_.front());
  queue_.pop_front();
  job->lane_.waiting_.fetch_sub(1, std::memory_order_relaxed);
  return job;
}

void Scheduler::RefuseCancelled() {
  std::vector<std::unique_ptr<Job>> cancelled;
  {
    const MutexLock lock(mutex_);
    for (std::unique_ptr<Job>& job : queue_) {
      if (job->cancelled()) cancelled.push_back(std::move(job));
    }
    std::erase(queue_, nullptr);
  }
  for (std::unique_ptr<Job>& job : cancelled) {
    job->lane_.waiting_.fetch_sub(1, std::memory_order_relaxed);
    RunOrRefuse(*job);
    job.reset();
    Leave();
  }
}

void Scheduler::RunOrRefuse(Job& job) {
  const std::int64_t queue_time_us = MicrosecondsBetween(job.queued_at_, SteadyClock::now());
  if (Status wanted = CheckTime(job); !wanted.ok()) {
    job.Refuse(std::move(wanted), queue_time_us);
  } else {
    job.Run(queue_time_us);
  }
}

void Scheduler::Requeue(std::unique_ptr<Job> job) {
  {
    const MutexLock lock(mutex_);
    if (!stopping_) {
      job->queued_at_ = SteadyClock::now();
      job->lane_.waiting_.fetch_add(1, std::memory_order_relaxed);
      queue_.push_back(std::move(job));
      return;  // to this thread or the next that is free
    }
  }
  job->Refuse({Reason::kDraining, "Core stopped before the request could be run"}, 0);
  job.reset();
  Leave();
}

// The lock makes sure that Drain is either before its look at active_ or already waiting.
void Scheduler::Leave() {
  if (active_.fetch_sub(1) != 1 || !draining_.load()) return;
  const MutexLock lock(mutex_);
  idle_.NotifyAll();
}

bool Scheduler::Drain(Deadline deadline) {
  draining_.store(true);
  const MutexLock lock(mutex_);
  while (active_.load() > 0) {
    if (!idle_.WaitUntil(mutex_, deadline)) return active_.load() == 0;
  }
  return true;
}

}  // namespace mlos::scheduler
