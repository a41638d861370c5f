// SPDX-License-Identifier: MIT
#include "scheduler/scheduler.h"

#include <algorithm>
#include <array>
#include <chrono>
#include <span>
#include <string>
#include <utility>

#include "base/log.h"
#include "base/threads.h"

namespace mlos::scheduler {
namespace {

using std::chrono::microseconds;
using std::chrono::milliseconds;
using TimePoint = SteadyClock::time_point;

constexpr milliseconds kShortRun{10};
constexpr milliseconds kLongRun{1000};
// A run that has gone on for one of these gives its slot up to runs that are known to take less, so
// that they wait for about as long as they take; after the last one it does to all runs.
constexpr std::array<milliseconds, 8> kAges = {
    kShortRun,         milliseconds{20},  milliseconds{40},  milliseconds{80},
    milliseconds{160}, milliseconds{320}, milliseconds{640}, kLongRun};
constexpr microseconds kNoRoom{0};
constexpr microseconds kAnyRoom = microseconds::max();
// Runs that go on beside those in the slots.
constexpr std::uint32_t kMoreRuns = 16;
// How long a run may take to stop.
constexpr milliseconds kStopTime{1000};
// An engine that ends runs from its own threads holds none of Core's with those that are overdue.
constexpr std::uint32_t kOpenPerRun = 16;

Status CancelledStatus() { return {Reason::kCancelled, "the caller cancelled the request"}; }

Status DrainingStatus() {
  return {Reason::kDraining, "Core stopped before the request could be run"};
}

bool TakesLess(const ModelQueue& queue, const Job& job, microseconds than) {
  const std::int64_t expected_us = queue.run_times().Expected(job.input_bytes());
  return expected_us > 0 && microseconds(expected_us) < than;
}

void EraseOne(std::multimap<TimePoint, Job*>& jobs, TimePoint when, const Job* job) {
  const auto [first, last] = jobs.equal_range(when);
  jobs.erase(std::find_if(first, last, [&](const auto& at) { return at.second == job; }));
}

// When a run that several requests share has taken longer than the requests would one by one.
TimePoint OverlongAt(const std::vector<std::shared_ptr<Job>>& jobs, TimePoint started) {
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

Scheduler::Scheduler(const SchedulerOptions& options)
    : options_(options),
      threads_(ThreadsOrCores(options.threads)),
      queue_(options.queue_length_max) {
  const MutexLock lock(mutex_);
  for (std::uint32_t i = 0; i < threads_; ++i) AddThread();
  timer_ = std::thread([this] { KeepTime(); });
}

Scheduler::~Scheduler() {
  Jobs left;
  std::list<std::thread> threads;
  {
    const MutexLock lock(mutex_);
    stopping_ = true;
    left = queue_.Clear(nullptr);
    for (const std::shared_ptr<Job>& job : left) Leave(*job);
    work_.NotifyAll();
    tick_.NotifyAll();
  }
  for (const std::shared_ptr<Job>& job : left) job->Refuse(DrainingStatus());
  timer_.join();
  {
    const MutexLock lock(mutex_);
    while (alive_ > 0 || !open_.empty()) over_.Wait(mutex_);
    // The next ones of their sequences, which could run once those before them were over.
    left = queue_.Clear(nullptr);
    for (const std::shared_ptr<Job>& job : left) Leave(*job);
    threads.swap(ended_);
  }
  for (const std::shared_ptr<Job>& job : left) job->Refuse(DrainingStatus());
  for (std::thread& thread : threads) thread.join();
}

// ---- Submitting ---------------------------------------------------------------------------------

Status Scheduler::CheckWanted(const Job& job) const {
  if (draining_.load()) return {Reason::kDraining, "Core is shutting down"};
  return job.CheckTime();
}

bool Scheduler::IsShort(const Job& job) const {
  const ModelQueue& queue = job.queue();
  if (!queue.options().time_given_by_shapes || !job.may_run_inline || queue.waiting() > 0) {
    return false;
  }
  const std::int64_t expected_us = queue.run_times().Expected(job.input_bytes());
  return expected_us > 0 && expected_us <= options_.inline_run_time_us_max;
}

void Scheduler::Submit(const std::shared_ptr<Job>& job) {
  active_.fetch_add(1);
  if (Status wanted = CheckWanted(*job); !wanted.ok()) {
    job->Refuse(std::move(wanted));
  } else if (!IsShort(*job) || !RunInline(job)) {
    return Enqueue(job);
  }
  LeaveInline();
}

bool Scheduler::RunInline(const std::shared_ptr<Job>& job) {
  if (job->sequence == nullptr) {
    job->queue().Execute(std::span(&job, 1), nullptr);
    return true;
  }
  {
    const MutexLock lock(mutex_);
    if (!queue_.Start(*job)) return false;
  }
  job->queue().Execute(std::span(&job, 1), nullptr);
  const MutexLock lock(mutex_);
  queue_.Release(*job);
  Dispatch();
  return true;
}

void Scheduler::Enqueue(const std::shared_ptr<Job>& job) {
  // Before a thread can take it, which lets go of the request with the answer.
  job->watched_ = job->request().cancellation;
  Status refusal;
  {
    const MutexLock lock(mutex_);
    ModelQueue& queue = job->queue();
    if (queue.closed_) {
      refusal = Status(Reason::kModelNotLoaded, "the model is being unloaded");
    } else if (!queue_.Push(job, SteadyClock::now())) {
      refusal = Overload(queue_.length_max());
    } else {
      job->owner_ = this;
      ++queue.active_;
      Watch(*job);
      Dispatch();
    }
  }
  if (refusal.ok()) return WatchCaller(job);
  job->Refuse(std::move(refusal));
  LeaveInline();
}

// Without the lock, which is taken when the caller leaves.
void Scheduler::WatchCaller(const std::shared_ptr<Job>& job) {
  if (job->watched_ == nullptr) return;
  job->watched_->Watch(job.get(), [this, weak = std::weak_ptr<Job>(job)] {
    const MutexLock lock(mutex_);
    gone_.push_back(weak);
    Wake(SteadyClock::now());
  });
}

void Scheduler::Watch(Job& job) {
  if (job.deadline_ == kNoDeadline) return;
  deadlines_.emplace(job.deadline_, &job);
  job.timed_ = true;
  Wake(job.deadline_);
}

void Scheduler::Unwatch(Job& job) {
  if (!std::exchange(job.timed_, false)) return;
  EraseOne(deadlines_, job.deadline_, &job);
}

void Scheduler::Leave(Job& job) {
  Unwatch(job);
  ModelQueue& queue = job.queue();
  const bool halted = --queue.active_ == 0 && queue.halting_;
  const bool drained = active_.fetch_sub(1) == 1 && draining_.load();
  if (halted || drained || stopping_) over_.NotifyAll();
}

// The lock makes sure that Drain is either before its look at active_ or already waiting.
void Scheduler::LeaveInline() {
  if (active_.fetch_sub(1) != 1 || !draining_.load()) return;
  const MutexLock lock(mutex_);
  over_.NotifyAll();
}

// ---- Threads of the pool ------------------------------------------------------------------------

microseconds Scheduler::RoomAt(TimePoint now) const {
  std::uint32_t all = 0;
  std::array<std::uint32_t, kAges.size()> younger{};
  for (const Running& run : running_) {
    if (run.overdue) continue;
    ++all;
    for (std::size_t i = 0; i < kAges.size(); ++i) younger[i] += now - run.started < kAges[i];
  }
  if (all >= threads_ + kMoreRuns) return kNoRoom;
  if (younger.back() < threads_) return kAnyRoom;
  // Fewer runs are younger than a lower age.
  const auto taken = std::ranges::find_if(younger, [&](auto runs) { return runs >= threads_; });
  return taken == younger.begin() ? kNoRoom : kAges[taken - younger.begin() - 1];
}

SteadyClock::time_point Scheduler::NextRoom(TimePoint now) const {
  TimePoint next = TimePoint::max();
  for (const Running& run : running_) {
    for (const milliseconds age : kAges) {
      if (run.started + age > now) next = std::min(next, run.started + age);
    }
  }
  return next;
}

void Scheduler::AddThread() {
  // They are past everything but their end.
  for (std::thread& thread : ended_) thread.join();
  ended_.clear();
  ++alive_;
  const auto self = pool_.emplace(pool_.end());
  *self = std::thread([this, self] { Work(self); });
}

void Scheduler::Dispatch() {
  if (!queue_.has_ready() || stopping_) return;
  if (idle_ > 0) return work_.NotifyOne();
  const TimePoint now = SteadyClock::now();
  if (RoomAt(now) == kNoRoom) return Wake(NextRoom(now));
  // All threads are busy, some of them with runs that have given up their slots.
  if (alive_ < running_.size() + threads_) AddThread();
}

void Scheduler::Work(std::list<std::thread>::iterator self) {
  mutex_.lock();
  while (!stopping_) {
    if (RunNext()) continue;
    // More threads than slots came for a while; one of them may stay.
    if (alive_ > threads_ + running_.size() && idle_ > 0) break;
    WaitForWork();
  }
  --alive_;
  ended_.splice(ended_.end(), pool_, self);
  over_.NotifyAll();
  mutex_.unlock();
}

bool Scheduler::TakeNext() {
  const TimePoint now = SteadyClock::now();
  const microseconds room = RoomAt(now);
  if (room == kNoRoom) return false;
  RunQueue::Taken taken =
      queue_.Take(now, threads_, [room](const ModelQueue& queue, const Job& first) {
        return room == kAnyRoom || TakesLess(queue, first, room);
      });
  if (taken.queue == nullptr) return false;
  Running& run = running_.emplace_back();
  run.taken = std::move(taken);
  run.started = now;
  return true;
}

bool Scheduler::RunNext() {
  if (!TakeNext()) return false;
  const auto run = std::prev(running_.end());
  Dispatch();
  mutex_.unlock();
  const bool open = run->taken.queue->Execute(run->taken.jobs, &run->stop);
  mutex_.lock();
  FinishRun(run, open);
  std::list<Running> over;
  over.splice(over.end(), running_, run);
  // A job, and what it holds, dies without the lock.
  mutex_.unlock();
  over.clear();
  mutex_.lock();
  return true;
}

void Scheduler::FinishRun(std::list<Running>::iterator run, bool open) {
  ModelQueue& queue = *run->taken.queue;
  if (run->overdue) {
    --queue.overdue_;
    --overdue_;
  } else {
    queue_.Finish(queue, run->taken.items());
  }
  for (const std::shared_ptr<Job>& job : run->taken.jobs) {
    if (!open) {
      queue_.Release(*job);
      Leave(*job);
    } else if (job->phase_ != Job::Phase::kOver) {
      job->phase_ = Job::Phase::kOpen;
      open_.emplace(job.get(), job);
      if (run->stopped_at != TimePoint::max()) {
        MarkStopped(*job, run->stopped_at);
      } else if (job->answered()) {
        StopOpen(*job, SteadyClock::now());
      }
    }
  }
}

void Scheduler::Close(Job& job) {
  const MutexLock lock(mutex_);
  if (std::exchange(job.overdue_, false)) {
    --job.queue().overdue_;
    --overdue_;
  } else if (job.stopped_at_ != TimePoint::max()) {
    EraseOne(stopping_jobs_, job.stopped_at_, &job);
  }
  queue_.Release(job);
  Leave(job);
  open_.erase(&job);
  if (stopping_) over_.NotifyAll();
  Dispatch();
}

void Scheduler::WaitForWork() {
  TimePoint until = queue_.not_before();
  if (queue_.has_ready()) until = std::min(until, NextRoom(SteadyClock::now()));
  ++idle_;
  work_.WaitUntil(mutex_, until);
  --idle_;
}

// ---- The timer ----------------------------------------------------------------------------------

void Scheduler::Wake(TimePoint when) {
  if (when >= timer_wakes_) return;
  timer_wakes_ = when;
  tick_.NotifyOne();
}

void Scheduler::KeepTime() {
  const MutexLock lock(mutex_);
  while (!stopping_) {
    const TimePoint now = SteadyClock::now();
    if (std::vector<Due> due = TakeDue(now); !due.empty()) {
      Answer(std::move(due));
      continue;
    }
    StopUnwanted(now);
    if (Jobs given_up = CountOverdue(now); !given_up.empty()) {
      mutex_.unlock();
      for (const std::shared_ptr<Job>& job : given_up) {
        Halt(job->queue(), now, now);
        if (options_.on_given_up) options_.on_given_up(job->queue());
      }
      given_up.clear();
      mutex_.lock();
      continue;
    }
    Dispatch();
    timer_wakes_ = NextEvent(SteadyClock::now());
    tick_.WaitUntil(mutex_, timer_wakes_);
  }
}

std::vector<Scheduler::Due> Scheduler::TakeDue(TimePoint now) {
  std::vector<Due> due;
  for (const std::weak_ptr<Job>& weak : std::exchange(gone_, {})) {
    const std::shared_ptr<Job> job = weak.lock();
    if (job != nullptr) AddDue(*job, CancelledStatus(), CancelledStatus(), due);
  }
  while (!deadlines_.empty() && deadlines_.begin()->first <= now) {
    Job& job = *deadlines_.begin()->second;
    Unwatch(job);
    AddDue(job, {Reason::kDeadlineExceeded, "the deadline passed before the request could be run"},
           {Reason::kDeadlineExceeded, "the deadline passed while the model ran"}, due);
  }
  return due;
}

void Scheduler::AddDue(Job& job, Status waited, Status ran, std::vector<Due>& due) {
  if (job.phase_ == Job::Phase::kWaiting) {
    due.push_back({job.shared_from_this(), std::move(waited), false});
    queue_.Remove(job);
    Leave(job);
  } else if (job.phase_ == Job::Phase::kRunning || job.phase_ == Job::Phase::kOpen) {
    due.push_back({job.shared_from_this(), std::move(ran), true});
  }
}

void Scheduler::Answer(std::vector<Due> due) {
  mutex_.unlock();
  for (Due& one : due) {
    if (one.runs) {
      one.job->Abandon(std::move(one.why));
    } else {
      one.job->Refuse(std::move(one.why));
    }
  }
  // A job, and what it holds, dies without the lock.
  due.clear();
  mutex_.lock();
}

void Scheduler::Abandoned(Job& job) {
  const MutexLock lock(mutex_);
  const TimePoint now = SteadyClock::now();
  if (job.phase_ == Job::Phase::kOpen) {
    StopOpen(job, now);
  } else {
    job.stop_.Request();
  }
  Wake(now);
}

void Scheduler::StopUnwanted(TimePoint now) {
  for (Running& run : running_) {
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

void Scheduler::StopOpen(Job& job, TimePoint now) {
  if (job.stopped_at_ != TimePoint::max()) return;
  MarkStopped(job, now);
  job.stop_.Request();
}

void Scheduler::MarkStopped(Job& job, TimePoint when) {
  job.stopped_at_ = when;
  stopping_jobs_.emplace(when, &job);
}

bool Scheduler::TooManyOverdue(ModelQueue& queue, std::uint32_t overdue_max) {
  const std::uint32_t count = ++queue.overdue_;
  ++overdue_;
  Log(LogLevel::kWarning, "a run has not stopped a second after it was told to",
      {{"model", queue.model_id()}, {"overdue_runs", count}});
  return count > overdue_max && !std::exchange(queue.given_up_, true);
}

Scheduler::Jobs Scheduler::CountOverdue(TimePoint now) {
  Jobs given_up;
  for (Running& run : running_) {
    if (run.overdue || run.stopped_at == TimePoint::max()) continue;
    if (now - run.stopped_at < kStopTime) continue;
    run.overdue = true;
    queue_.Finish(*run.taken.queue, 0);
    if (TooManyOverdue(*run.taken.queue, options_.overdue_runs_max)) {
      given_up.push_back(run.taken.jobs.front());
    }
  }
  while (!stopping_jobs_.empty() && stopping_jobs_.begin()->first + kStopTime <= now) {
    Job& job = *stopping_jobs_.begin()->second;
    stopping_jobs_.erase(stopping_jobs_.begin());
    job.overdue_ = true;
    if (TooManyOverdue(job.queue(), kOpenPerRun * options_.overdue_runs_max)) {
      given_up.push_back(job.shared_from_this());
    }
  }
  return given_up;
}

SteadyClock::time_point Scheduler::NextEvent(TimePoint now) const {
  TimePoint next = deadlines_.empty() ? TimePoint::max() : deadlines_.begin()->first;
  if (!gone_.empty()) next = now;
  for (const Running& run : running_) {
    if (run.stopped_at != TimePoint::max() && !run.overdue) {
      next = std::min(next, run.stopped_at + kStopTime);
    } else if (!run.stop.requested()) {
      next = std::min(next, run.overlong_at);
    }
  }
  if (!stopping_jobs_.empty()) next = std::min(next, stopping_jobs_.begin()->first + kStopTime);
  if (queue_.has_ready() && idle_ == 0) next = std::min(next, NextRoom(now));
  return next;
}

// ---- Ending -------------------------------------------------------------------------------------

std::uint32_t Scheduler::Halt(ModelQueue& queue, Deadline finish_by, Deadline stop_by) {
  const MutexLock lock(mutex_);
  queue.halting_ = true;
  while (queue.active_ > 0 && over_.WaitUntil(mutex_, finish_by)) {
  }
  if (queue.active_ == 0) return 0;
  queue.closed_ = true;
  const Status unloaded(Reason::kModelNotLoaded, "the model was unloaded");
  std::vector<Due> due;
  for (std::shared_ptr<Job>& job : queue_.Clear(&queue)) {
    Leave(*job);
    due.push_back({std::move(job), unloaded, false});
  }
  for (const Running& run : running_) {
    if (run.taken.queue != &queue) continue;
    for (const std::shared_ptr<Job>& job : run.taken.jobs) due.push_back({job, unloaded, true});
  }
  for (const auto& [job, held] : open_) {
    if (&job->queue() == &queue) due.push_back({held, unloaded, true});
  }
  Answer(std::move(due));
  StopUnwanted(SteadyClock::now());
  Wake(SteadyClock::now());
  while (queue.active_ > 0 && over_.WaitUntil(mutex_, stop_by)) {
  }
  return queue.active_;
}

bool Scheduler::Drain(Deadline deadline) {
  draining_.store(true);
  const MutexLock lock(mutex_);
  while (active_.load() > 0) {
    if (!over_.WaitUntil(mutex_, deadline)) return active_.load() == 0;
  }
  return true;
}

}  // namespace mlos::scheduler
