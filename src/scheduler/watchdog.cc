// SPDX-License-Identifier: MIT
#include "scheduler/watchdog.h"

#include <algorithm>
#include <chrono>
#include <iterator>

#include "base/log.h"

namespace mlos::scheduler {
namespace {

using TimePoint = SteadyClock::time_point;

// How long a run may take to stop.
constexpr std::chrono::milliseconds kStopTime{1000};
// An engine that ends runs from its own threads holds none of Core's with those that are overdue.
constexpr std::uint32_t kOpenPerRun = 16;

// When a run that several requests share has taken longer than the requests would one by one.
TimePoint OverlongAt(const Watchdog::Jobs& jobs, TimePoint started) {
  std::int64_t expected_us = 0;
  for (const std::shared_ptr<Job>& job : jobs) {
    const std::int64_t one_us = job->queue().run_times().Expected(job->input_bytes());
    if (one_us == 0) return started + kLongRun;
    expected_us += one_us;
  }
  return started +
         std::max<SteadyClock::duration>(kShortRun, std::chrono::microseconds(expected_us));
}

}  // namespace

void Watchdog::Open(const std::shared_ptr<Job>& job, TimePoint stopped_at, TimePoint now) {
  job->phase_ = Job::Phase::kOpen;
  open_.emplace(job.get(), job);
  if (stopped_at != TimePoint::max()) {
    MarkStopped(*job, stopped_at);
  } else if (job->answered()) {
    StopOpen(*job, now);
  }
}

void Watchdog::Close(Job& job) {
  if (std::exchange(job.overdue_, false)) {
    Discount(job.queue());
  } else if (job.stopped_at_ != TimePoint::max()) {
    stopping_.erase({job.stopped_at_, &job});
  }
  open_.erase(&job);
}

void Watchdog::StopUnwanted(std::list<Running>& runs, TimePoint now) {
  for (Running& run : runs) {
    if (run.stopped_at != TimePoint::max()) continue;
    const Jobs& jobs = run.taken.jobs;
    const auto left = std::ranges::count_if(jobs, [](auto& job) { return job->answered(); });
    if (left == std::ssize(jobs)) {
      run.stopped_at = now;
      run.stop.Request();
    } else if (left > 0 && !run.stop.requested()) {
      // What one of them asked may never end: the others are run again, by themselves.
      run.overlong_at = OverlongAt(jobs, run.started);
      if (now >= run.overlong_at) run.stop.Request();
    }
  }
}

void Watchdog::StopOpen(Job& job, TimePoint now) {
  if (job.stopped_at_ != TimePoint::max()) return;
  MarkStopped(job, now);
  job.stop_.Request();
}

void Watchdog::MarkStopped(Job& job, TimePoint when) {
  job.stopped_at_ = when;
  stopping_.emplace(when, &job);
}

Watchdog::Jobs Watchdog::CountOverdue(std::list<Running>& runs, RunQueue& queue, TimePoint now) {
  Jobs given_up;
  for (Running& run : runs) {
    if (run.overdue || run.stopped_at == TimePoint::max()) continue;
    if (now - run.stopped_at < kStopTime) continue;
    run.overdue = true;
    queue.Finish(*run.taken.queue, run.taken.items());
    if (TooMany(*run.taken.queue, overdue_runs_max_)) given_up.push_back(run.taken.jobs.front());
  }
  while (!stopping_.empty() && stopping_.begin()->first + kStopTime <= now) {
    Job& job = *stopping_.begin()->second;
    stopping_.erase(stopping_.begin());
    job.overdue_ = true;
    if (TooMany(job.queue(), kOpenPerRun * overdue_runs_max_)) {
      given_up.push_back(job.shared_from_this());
    }
  }
  return given_up;
}

bool Watchdog::TooMany(ModelQueue& queue, std::uint32_t overdue_max) {
  const std::uint32_t count = ++queue.overdue_;
  ++overdue_;
  Log(LogLevel::kWarning, "a run has not stopped a second after it was told to",
      {{"model", queue.model_id()}, {"overdue_runs", count}});
  return count > overdue_max && !std::exchange(queue.given_up_, true);
}

void Watchdog::Discount(ModelQueue& queue) {
  --queue.overdue_;
  --overdue_;
}

TimePoint Watchdog::Next(const std::list<Running>& runs) const {
  TimePoint next = TimePoint::max();
  for (const Running& run : runs) {
    if (run.stopped_at != TimePoint::max() && !run.overdue) {
      next = std::min(next, run.stopped_at + kStopTime);
    } else if (!run.stop.requested()) {
      next = std::min(next, run.overlong_at);
    }
  }
  if (!stopping_.empty()) next = std::min(next, stopping_.begin()->first + kStopTime);
  return next;
}

}  // namespace mlos::scheduler
