// SPDX-License-Identifier: MIT
#pragma once

#include <atomic>
#include <cstdint>
#include <deque>
#include <memory>
#include <thread>
#include <vector>

#include "base/clock.h"
#include "base/mutex.h"
#include "base/status.h"
#include "scheduler/lane.h"

namespace mlos::scheduler {

/// One request to run. Exactly one of Run and Refuse is called, once unless it is
/// unfinished, and then it is destroyed.
class Job {
 public:
  /// `lane` must live as long as the job, which may see to it; `input_bytes` say how large it is.
  Job(Lane& lane, Deadline deadline, std::uint64_t input_bytes = 0)
      : lane_(lane), deadline_(deadline), input_bytes_(input_bytes) {}
  Job(const Job&) = delete;
  Job& operator=(const Job&) = delete;
  virtual ~Job() = default;

  /// Does the work and answers; `queue_time_us` is how long it waited.
  virtual void Run(std::int64_t queue_time_us) = 0;
  /// Answers that it will not be run: OVERLOADED, DEADLINE_EXCEEDED, DRAINING, CANCELLED.
  virtual void Refuse(Status why, std::int64_t queue_time_us) = 0;
  /// True once nobody waits for the answer.
  virtual bool cancelled() const { return false; }
  /// True where it takes long whatever its lane has seen: never run on the thread that submits it.
  virtual bool is_long() const { return false; }
  /// After Run: true where it is to be run again, after those that wait by then.
  virtual bool unfinished() const { return false; }

  Lane& lane() const { return lane_; }
  std::uint64_t input_bytes() const { return input_bytes_; }

 private:
  friend class Scheduler;
  Lane& lane_;
  const Deadline deadline_;
  const std::uint64_t input_bytes_;
  SteadyClock::time_point queued_at_;
};

/// OVERLOADED.
Status Overload(std::uint32_t queue_length_max);

struct SchedulerOptions {
  std::uint32_t threads = 0;  ///< of the compute pool; 0: one for each core
  std::uint32_t queue_length_max = 1024;
  /// A request whose model takes no longer than this for its size runs where it was received.
  std::int64_t inline_run_time_us_max = 500;
};

/// Decides where a job runs, and when.
///
/// A job of a model whose runs are known to be short for inputs of that size, and of which nothing
/// waits, runs on the thread that submits: waking another one takes as long as the run. Everything
/// else goes through one queue, first come first served, to a pool of threads. Deadline and
/// cancellation are looked at on the way in and on the way out of the queue. Thread-safe.
class Scheduler {
 public:
  explicit Scheduler(const SchedulerOptions& options = {});
  Scheduler(const Scheduler&) = delete;
  Scheduler& operator=(const Scheduler&) = delete;
  /// Lets running jobs finish and refuses those that wait. Nobody may submit by then.
  ~Scheduler();

  /// Why the job should not be taken on: DRAINING, CANCELLED, DEADLINE_EXCEEDED.
  Status CheckWanted(const Job& job) const;
  /// Why a job that waited should not be run: CANCELLED, DEADLINE_EXCEEDED.
  static Status CheckTime(const Job& job);

  /// Runs, queues or refuses the job. It may be over when this returns.
  void Submit(std::unique_ptr<Job> job);

  /// Refuses the jobs that wait and are cancelled, whatever runs: for a door whose client went
  /// away, and with it everybody who would wait for them.
  void RefuseCancelled();

  /// From now on jobs are refused with DRAINING; returns once those accepted before are over, or at
  /// `deadline`, with false.
  bool Drain(Deadline deadline);
  /// Whether the job runs on the thread that submits it, while nothing waits.
  bool IsShort(const Job& job) const {
    const std::int64_t run_time_us = job.lane_.run_time_us(job.input_bytes_);
    return run_time_us > 0 && run_time_us <= options_.inline_run_time_us_max && !job.is_long();
  }
  bool draining() const { return draining_.load(); }

 private:
  bool RunsInline(const Job& job) const;
  void Enqueue(std::unique_ptr<Job> job);
  /// Takes the job where the queue has room.
  bool TryPush(std::unique_ptr<Job>& job);
  void Work();
  /// The next job, with its queue time; null when the pool stops.
  std::unique_ptr<Job> Dequeue();
  static void RunOrRefuse(Job& job);
  /// Puts an unfinished job last, or refuses it where the pool stops.
  void Requeue(std::unique_ptr<Job> job);
  /// One of `active_` is over.
  void Leave();

  const SchedulerOptions options_;
  std::atomic<bool> draining_{false};
  // Jobs accepted and not over. Raised before draining_ is read, so that Drain misses none.
  std::atomic<std::int64_t> active_{0};

  Mutex mutex_;
  std::deque<std::unique_ptr<Job>> queue_ GUARDED_BY(mutex_);
  bool stopping_ GUARDED_BY(mutex_) = false;
  CondVar work_;
  CondVar idle_;
  std::vector<std::thread> threads_;
};

}  // namespace mlos::scheduler
