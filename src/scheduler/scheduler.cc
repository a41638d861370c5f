// SPDX-License-Identifier: MIT
#include "scheduler/scheduler.h"

#include <algorithm>
#include <iterator>
#include <list>
#include <span>
#include <utility>

#include "base/threads.h"

namespace mlos::scheduler {
namespace {

using TimePoint = SteadyClock::time_point;
using Jobs = std::vector<std::shared_ptr<Job>>;

Status CancelledStatus() { return {Reason::kCancelled, "the caller cancelled the request"}; }

Status DrainingStatus() {
  return {Reason::kDraining, "Core stopped before the request could be run"};
}

/// Refuses them, and lets go of them.
void RefuseAll(Jobs& jobs) {
  for (const std::shared_ptr<Job>& job : jobs) job->Refuse(DrainingStatus());
  jobs.clear();
}

}  // namespace

Scheduler::Scheduler(const SchedulerOptions& options)
    : options_(options),
      queue_(options.queue_length_max),
      slots_(ThreadsOrCores(options.threads)),
      watchdog_(options.overdue_runs_max) {
  const MutexLock lock(mutex_);
  for (std::uint32_t i = 0; i < slots_.count(); ++i) AddThread();
  timer_thread_ = std::thread([this] { KeepTime(); });
}

Scheduler::~Scheduler() {
  Jobs left;
  std::list<std::thread> threads;
  {
    const MutexLock lock(mutex_);
    stopping_ = true;
    left = ClearQueue();
    pool_.WakeAll();
    timer_.Wake(TimePoint::min());
  }
  RefuseAll(left);
  timer_thread_.join();
  {
    const MutexLock lock(mutex_);
    while (pool_.alive() > 0 || !watchdog_.open().empty()) over_.Wait(mutex_);
    // The next ones of their sequences, which could run once those before them were over.
    left = ClearQueue();
    threads = pool_.TakeEnded();
  }
  RefuseAll(left);
  for (std::thread& thread : threads) thread.join();
}

Jobs Scheduler::ClearQueue() {
  Jobs left = queue_.Clear(nullptr);
  for (const std::shared_ptr<Job>& job : left) Leave(*job);
  return left;
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
  Dispatch(SteadyClock::now());
  return true;
}

void Scheduler::Enqueue(const std::shared_ptr<Job>& job) {
  // Before a thread can take it, which lets go of the request with the answer.
  job->watched_ = job->request().cancellation;
  Status refusal;
  {
    const MutexLock lock(mutex_);
    const TimePoint now = SteadyClock::now();
    ModelQueue& queue = job->queue();
    if (queue.closed_) {
      refusal = Status(Reason::kModelNotLoaded, "the model is being unloaded");
    } else if (!queue_.Push(job, now)) {
      refusal = Overload(queue_.length_max());
    } else {
      job->owner_ = this;
      ++queue.active_;
      timer_.Watch(*job);
      Dispatch(now);
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
    timer_.CallerLeft(weak, SteadyClock::now());
  });
}

void Scheduler::Leave(Job& job) {
  timer_.Unwatch(job);
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

void Scheduler::AddThread() {
  pool_.Add([this](Pool::Thread self) { Work(self); });
}

void Scheduler::Dispatch(TimePoint now) {
  if (!queue_.has_ready() || stopping_) return;
  if (const TimePoint start = slots_.NextStart(queue_, now); start > now) {
    return timer_.Wake(start);
  }
  if (pool_.idle() > 0) return pool_.WakeOne();
  // All threads are busy, some of them with runs that have given up their slots.
  if (pool_.alive() < slots_.runs().size() + slots_.count()) AddThread();
}

void Scheduler::Work(Pool::Thread self) {
  mutex_.lock();
  while (!stopping_) {
    if (RunNext()) continue;
    // More threads than slots came for a while; one of them may stay.
    if (pool_.alive() > slots_.count() + slots_.runs().size() && pool_.idle() > 0) break;
    pool_.Wait(mutex_);
  }
  pool_.End(self);
  over_.NotifyAll();
  mutex_.unlock();
}

bool Scheduler::RunNext() {
  const TimePoint now = SteadyClock::now();
  if (!slots_.Start(queue_, now)) {
    timer_.Wake(slots_.NextStart(queue_, now));
    return false;
  }
  const Slots::Run run = std::prev(slots_.runs().end());
  Dispatch(now);
  mutex_.unlock();
  const bool open = run->taken.queue->Execute(run->taken.jobs, &run->stop);
  mutex_.lock();
  FinishRun(*run, open);
  std::list<Running> over = slots_.Remove(run);
  // A job, and what it holds, dies without the lock.
  mutex_.unlock();
  over.clear();
  mutex_.lock();
  return true;
}

void Scheduler::FinishRun(Running& run, bool open) {
  ModelQueue& queue = *run.taken.queue;
  if (run.overdue) {
    watchdog_.Discount(queue);
  } else {
    queue_.Finish(queue, run.taken.items());
  }
  for (const std::shared_ptr<Job>& job : run.taken.jobs) {
    if (!open) {
      queue_.Release(*job);
      Leave(*job);
    } else if (job->phase_ != Job::Phase::kOver) {
      watchdog_.Open(job, run.stopped_at, SteadyClock::now());
    }
  }
}

void Scheduler::Close(Job& job) {
  const MutexLock lock(mutex_);
  watchdog_.Close(job);
  queue_.Release(job);
  Leave(job);
  if (stopping_) over_.NotifyAll();
  Dispatch(SteadyClock::now());
}

// ---- The timer's thread -------------------------------------------------------------------------

void Scheduler::KeepTime() {
  const MutexLock lock(mutex_);
  while (!stopping_) {
    const TimePoint now = SteadyClock::now();
    if (std::vector<Ending> due = TakeDue(now); !due.empty()) {
      Answer(std::move(due));
      continue;
    }
    watchdog_.StopUnwanted(slots_.runs(), now);
    if (Watchdog::Jobs jobs = watchdog_.CountOverdue(slots_.runs(), queue_, now); !jobs.empty()) {
      GiveUp(std::move(jobs), now);
      continue;
    }
    // By one look at the clock: what can start at that moment has been dispatched.
    const TimePoint last = SteadyClock::now();
    Dispatch(last);
    timer_.Sleep(mutex_, NextEvent(last));
  }
}

std::vector<Scheduler::Ending> Scheduler::TakeDue(TimePoint now) {
  std::vector<Ending> endings;
  Timer::Due due = timer_.Take(now);
  for (std::shared_ptr<Job>& job : due.left) {
    AddEnding(std::move(job), CancelledStatus(), CancelledStatus(), endings);
  }
  for (std::shared_ptr<Job>& job : due.late) {
    AddEnding(std::move(job),
              {Reason::kDeadlineExceeded, "the deadline passed before the request could be run"},
              {Reason::kDeadlineExceeded, "the deadline passed while the model ran"}, endings);
  }
  return endings;
}

// One that is over has been answered, or is being; it is added for its end without the lock.
void Scheduler::AddEnding(std::shared_ptr<Job> job, Status waited, Status ran,
                          std::vector<Ending>& endings) {
  const bool runs = job->phase_ == Job::Phase::kRunning || job->phase_ == Job::Phase::kOpen;
  if (job->phase_ == Job::Phase::kWaiting) {
    queue_.Remove(*job);
    Leave(*job);
  }
  endings.push_back({std::move(job), std::move(runs ? ran : waited), runs});
}

void Scheduler::Answer(std::vector<Ending> endings) {
  mutex_.unlock();
  for (Ending& one : endings) {
    if (one.runs) {
      one.job->Abandon(std::move(one.why));
    } else {
      one.job->Refuse(std::move(one.why));
    }
  }
  // A job, and what it holds, dies without the lock.
  endings.clear();
  mutex_.lock();
}

void Scheduler::GiveUp(Watchdog::Jobs jobs, TimePoint now) {
  mutex_.unlock();
  for (const std::shared_ptr<Job>& job : jobs) {
    Halt(job->queue(), now, now);
    if (options_.on_given_up) options_.on_given_up(job->queue());
  }
  jobs.clear();
  mutex_.lock();
}

TimePoint Scheduler::NextEvent(TimePoint now) {
  TimePoint next = std::min(timer_.Next(now), watchdog_.Next(slots_.runs()));
  const TimePoint start = slots_.NextStart(queue_, now);
  return start > now ? std::min(next, start) : next;
}

void Scheduler::Abandoned(Job& job) {
  const MutexLock lock(mutex_);
  const TimePoint now = SteadyClock::now();
  if (job.phase_ == Job::Phase::kOpen) {
    watchdog_.StopOpen(job, now);
  } else {
    job.stop_.Request();
  }
  timer_.Wake(now);
}

std::uint32_t Scheduler::overdue() const {
  const MutexLock lock(mutex_);
  return watchdog_.overdue();
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
  std::vector<Ending> endings;
  for (std::shared_ptr<Job>& job : queue_.Clear(&queue)) {
    Leave(*job);
    endings.push_back({std::move(job), unloaded, false});
  }
  for (const Running& run : slots_.runs()) {
    if (run.taken.queue != &queue) continue;
    for (const std::shared_ptr<Job>& job : run.taken.jobs) endings.push_back({job, unloaded, true});
  }
  for (const auto& [job, held] : watchdog_.open()) {
    if (&job->queue() == &queue) endings.push_back({held, unloaded, true});
  }
  Answer(std::move(endings));
  watchdog_.StopUnwanted(slots_.runs(), SteadyClock::now());
  timer_.Wake(SteadyClock::now());
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
