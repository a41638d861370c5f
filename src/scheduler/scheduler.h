// SPDX-License-Identifier: MIT
#pragma once

#include <atomic>
#include <chrono>
#include <cstdint>
#include <functional>
#include <list>
#include <map>
#include <memory>
#include <thread>
#include <unordered_map>
#include <vector>

#include "base/clock.h"
#include "base/mutex.h"
#include "base/status.h"
#include "engine/stop.h"
#include "scheduler/job.h"
#include "scheduler/model_queue.h"
#include "scheduler/run_queue.h"

namespace mlos::scheduler {

struct SchedulerOptions {
  std::uint32_t threads = 0;  ///< of the compute pool; 0: one for each core
  /// Requests that may wait, of all models together.
  std::uint32_t queue_length_max = 1024;
  /// A request whose model takes no longer than this for its size runs where it was received.
  std::int64_t inline_run_time_us_max = 500;
  /// Runs of one model that did not stop when they were told to, before it is given up.
  std::uint32_t overdue_runs_max = 4;
  /// Is told, once, of a model that is given up; quick, on the timer's thread. Null: nobody.
  std::function<void(ModelQueue&)> on_given_up = nullptr;
};

/// Decides where a job runs, and when, and answers it when its time is over.
///
/// A job of an idle model whose runs are known to be short for inputs of that size, and to take a
/// time that their shapes give, runs on the thread that submits: waking another one takes as long
/// as the run. Everything else waits in one RunQueue for the threads of a pool.
///
/// No model keeps others from the pool. There are `threads` slots. A run that has gone on for 10,
/// 20, 40, … ms gives its slot up to runs that are known to take less than that, and after a second
/// to all; more threads come for them, and go. A model never has more runs at once than there are
/// slots.
///
/// A timer answers every job that waits, runs or streams when its deadline comes or its caller
/// leaves. Once nobody waits for a run it is told to stop; one that has not a second later is
/// overdue: it is counted, another thread takes its place, and a model that has too many of them is
/// given up. Thread-safe.
class Scheduler : private JobOwner {
 public:
  explicit Scheduler(const SchedulerOptions& options = {});
  /// Refuses the jobs that wait, and waits for those that run. Nobody may submit by then.
  ~Scheduler() override;

  /// Why the job should not be taken on: DRAINING, CANCELLED, DEADLINE_EXCEEDED.
  Status CheckWanted(const Job& job) const;

  /// Runs, queues or refuses the job. It may be over when this returns.
  void Submit(const std::shared_ptr<Job>& job);

  /// Takes a model out of service: its jobs may finish until `finish_by`, are told to stop then,
  /// and have until `stop_by`. Returns how many are left even so.
  std::uint32_t Halt(ModelQueue& queue, Deadline finish_by, Deadline stop_by);

  /// From now on jobs are refused with DRAINING; returns once those accepted before are over, or at
  /// `deadline`, with false.
  bool Drain(Deadline deadline);
  bool draining() const { return draining_.load(); }

  /// Runs that were told to stop and have not, of all models.
  std::uint32_t overdue() const { return overdue_.load(std::memory_order_relaxed); }

 private:
  using Jobs = std::vector<std::shared_ptr<Job>>;
  /// A run on a thread of the pool.
  struct Running {
    RunQueue::Taken taken;
    SteadyClock::time_point started;
    SteadyClock::time_point stopped_at = SteadyClock::time_point::max();
    /// Of a run of several, one of which is not waited for any more: when it has gone on for so
    /// long that it is told to stop although others wait for it.
    SteadyClock::time_point overlong_at = SteadyClock::time_point::max();
    bool overdue = false;
    engine::Stop stop;
  };
  /// A job that the timer answers, and how.
  struct Due {
    std::shared_ptr<Job> job;
    Status why;
    bool runs = false;
  };

  void Close(Job& job) override;
  void Abandoned(Job& job) override;

  bool IsShort(const Job& job) const;
  bool RunInline(const std::shared_ptr<Job>& job);
  void Enqueue(const std::shared_ptr<Job>& job);
  void WatchCaller(const std::shared_ptr<Job>& job);

  // Threads of the pool.
  void Work(std::list<std::thread>::iterator self);
  /// Takes and makes one run; false if none can start now.
  bool RunNext() REQUIRES(mutex_);
  bool TakeNext() REQUIRES(mutex_);
  /// Runs that are known to take less may start now; 0: none, `max()`: all.
  std::chrono::microseconds RoomAt(SteadyClock::time_point now) const REQUIRES(mutex_);
  /// When the next run gives its slot up; `max()` if none will.
  SteadyClock::time_point NextRoom(SteadyClock::time_point now) const REQUIRES(mutex_);
  void WaitForWork() REQUIRES(mutex_);
  /// Sees to it that a thread looks at what waits.
  void Dispatch() REQUIRES(mutex_);
  void AddThread() REQUIRES(mutex_);
  void FinishRun(std::list<Running>::iterator run, bool open) REQUIRES(mutex_);

  // The timer.
  void KeepTime();
  std::vector<Due> TakeDue(SteadyClock::time_point now) REQUIRES(mutex_);
  void AddDue(Job& job, Status waited, Status ran, std::vector<Due>& due) REQUIRES(mutex_);
  /// Tells runs on threads of the pool to stop that nobody waits for any more, or that keep those
  /// who still wait from an answer of their own.
  void StopUnwanted(SteadyClock::time_point now) REQUIRES(mutex_);
  /// Tells an engine that has taken `job` on to stop.
  void StopOpen(Job& job, SteadyClock::time_point now) REQUIRES(mutex_);
  void MarkStopped(Job& job, SteadyClock::time_point when) REQUIRES(mutex_);
  /// Counts what has become overdue. Returns a job of each model that is given up now.
  Jobs CountOverdue(SteadyClock::time_point now) REQUIRES(mutex_);
  bool TooManyOverdue(ModelQueue& queue, std::uint32_t overdue_max) REQUIRES(mutex_);
  SteadyClock::time_point NextEvent(SteadyClock::time_point now) const REQUIRES(mutex_);
  void Wake(SteadyClock::time_point when) REQUIRES(mutex_);
  /// Answers them, without the lock.
  void Answer(std::vector<Due> due) REQUIRES(mutex_);

  /// The job is over.
  void Leave(Job& job) REQUIRES(mutex_);
  void LeaveInline();
  void Watch(Job& job) REQUIRES(mutex_);
  void Unwatch(Job& job) REQUIRES(mutex_);

  const SchedulerOptions options_;
  const std::uint32_t threads_;
  std::atomic<bool> draining_{false};
  // Jobs accepted and not over. Raised before draining_ is read, so that Drain misses none.
  std::atomic<std::int64_t> active_{0};
  std::atomic<std::uint32_t> overdue_{0};

  mutable Mutex mutex_;
  RunQueue queue_ GUARDED_BY(mutex_);
  std::list<Running> running_ GUARDED_BY(mutex_);
  /// Jobs with a deadline that are not over.
  std::multimap<Deadline, Job*> deadlines_ GUARDED_BY(mutex_);
  /// Jobs that an engine has taken on and not ended.
  std::unordered_map<Job*, std::shared_ptr<Job>> open_ GUARDED_BY(mutex_);
  /// Of them, those that were told to stop and are not counted as overdue, by when that was.
  std::multimap<SteadyClock::time_point, Job*> stopping_jobs_ GUARDED_BY(mutex_);
  /// Jobs whose callers have left since the timer looked.
  std::vector<std::weak_ptr<Job>> gone_ GUARDED_BY(mutex_);
  bool stopping_ GUARDED_BY(mutex_) = false;
  std::uint32_t alive_ GUARDED_BY(mutex_) = 0;  ///< threads of the pool
  std::uint32_t idle_ GUARDED_BY(mutex_) = 0;   ///< of them, those that wait for work
  SteadyClock::time_point timer_wakes_ GUARDED_BY(mutex_) = SteadyClock::time_point::max();
  CondVar work_;
  CondVar tick_;
  CondVar over_;
  std::list<std::thread> pool_ GUARDED_BY(mutex_);
  std::list<std::thread> ended_ GUARDED_BY(mutex_);  ///< threads of the pool that are about to end
  std::thread timer_;
};

}  // namespace mlos::scheduler
