// SPDX-License-Identifier: MIT
#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <memory>
#include <thread>
#include <vector>

#include "base/clock.h"
#include "base/mutex.h"
#include "base/status.h"
#include "scheduler/job.h"
#include "scheduler/model_queue.h"
#include "scheduler/pool.h"
#include "scheduler/run_queue.h"
#include "scheduler/slots.h"
#include "scheduler/timer.h"
#include "scheduler/watchdog.h"

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
/// as the run. Everything else waits in one RunQueue for the threads of a Pool.
///
/// No model keeps others from the pool: Slots says which runs may start beside those that go on,
/// and threads come for them, and go. A model never has more runs at once than there are slots.
///
/// The thread of a Timer answers every job that waits, runs or streams when its deadline comes or
/// its caller leaves. The Watchdog tells a run to stop that nobody waits for, and gives a model up
/// that has too many runs which do not. Thread-safe.
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
  std::uint32_t overdue() const;

 private:
  /// A job to be answered, and how.
  struct Ending {
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
  void Work(Pool::Thread self);
  /// Takes and makes one run; false if none can start now.
  bool RunNext() REQUIRES(mutex_);
  void FinishRun(Running& run, bool open) REQUIRES(mutex_);
  /// Sees to it that a thread takes what can start now, or that it will when something can.
  void Dispatch(SteadyClock::time_point now) REQUIRES(mutex_);
  void AddThread() REQUIRES(mutex_);

  // The timer's thread.
  void KeepTime();
  std::vector<Ending> TakeDue(SteadyClock::time_point now) REQUIRES(mutex_);
  void AddEnding(std::shared_ptr<Job> job, Status waited, Status ran, std::vector<Ending>& endings)
      REQUIRES(mutex_);
  SteadyClock::time_point NextEvent(SteadyClock::time_point now) REQUIRES(mutex_);
  /// Answers them, without the lock.
  void Answer(std::vector<Ending> endings) REQUIRES(mutex_);
  /// Takes their models out of service, without the lock.
  void GiveUp(Watchdog::Jobs jobs, SteadyClock::time_point now) REQUIRES(mutex_);

  /// The job is over.
  void Leave(Job& job) REQUIRES(mutex_);
  void LeaveInline();
  /// Takes out everything that waits, for the caller to refuse without the lock.
  std::vector<std::shared_ptr<Job>> ClearQueue() REQUIRES(mutex_);

  const SchedulerOptions options_;
  std::atomic<bool> draining_{false};
  // Jobs accepted and not over. Raised before draining_ is read, so that Drain misses none.
  std::atomic<std::int64_t> active_{0};

  mutable Mutex mutex_;
  RunQueue queue_ GUARDED_BY(mutex_);
  Slots slots_ GUARDED_BY(mutex_);
  Pool pool_ GUARDED_BY(mutex_);
  Timer timer_ GUARDED_BY(mutex_);
  Watchdog watchdog_ GUARDED_BY(mutex_);
  bool stopping_ GUARDED_BY(mutex_) = false;
  CondVar over_;
  std::thread timer_thread_;
};

}  // namespace mlos::scheduler
