// SPDX-License-Identifier: MIT
#include "scheduler/timer.h"

namespace mlos::scheduler {
namespace {

using TimePoint = SteadyClock::time_point;

}  // namespace

void Timer::Watch(Job& job) {
  if (job.deadline_ == kNoDeadline) return;
  deadlines_.emplace(job.deadline_, &job);
  job.timed_ = true;
  Wake(job.deadline_);
}

void Timer::Unwatch(Job& job) {
  if (std::exchange(job.timed_, false)) deadlines_.erase({job.deadline_, &job});
}

void Timer::CallerLeft(std::weak_ptr<Job> job, TimePoint now) {
  left_.push_back(std::move(job));
  Wake(now);
}

Timer::Due Timer::Take(TimePoint now) {
  Due due;
  for (const std::weak_ptr<Job>& weak : std::exchange(left_, {})) {
    if (std::shared_ptr<Job> job = weak.lock(); job != nullptr) due.left.push_back(std::move(job));
  }
  while (!deadlines_.empty() && deadlines_.begin()->first <= now) {
    Job& job = *deadlines_.begin()->second;
    Unwatch(job);
    due.late.push_back(job.shared_from_this());
  }
  return due;
}

TimePoint Timer::Next(TimePoint now) const {
  if (!left_.empty()) return now;
  return deadlines_.empty() ? TimePoint::max() : deadlines_.begin()->first;
}

void Timer::Wake(TimePoint when) {
  if (when >= wakes_) return;
  wakes_ = when;
  tick_.NotifyOne();
}

void Timer::Sleep(Mutex& mutex, TimePoint until) {
  wakes_ = until;
  tick_.WaitUntil(mutex, until);
}

}  // namespace mlos::scheduler
