// SPDX-License-Identifier: MIT
#pragma once

#include <atomic>
#include <compare>
#include <cstdint>
#include <memory>

#include "base/clock.h"
#include "base/result.h"
#include "engine/run.h"
#include "engine/stop.h"

namespace mlos::scheduler {

class Job;
class ModelQueue;

/// Who runs jobs, and is told what becomes of them on other threads. Thread-safe.
class JobOwner {
 public:
  JobOwner() = default;
  JobOwner(const JobOwner&) = delete;
  JobOwner& operator=(const JobOwner&) = delete;
  virtual ~JobOwner() = default;

  /// A run of an engine that answers later has ended: see Job::End.
  virtual void Close(Job& job) = 0;
  /// The job's caller was answered while its run goes on: see Job::Abandon.
  virtual void Abandoned(Job& job) = 0;
};

/// Where a job stands among those that wait: lower ranks run first.
struct Rank {
  std::uint32_t group = 0;
  std::uint64_t number = 0;  ///< unique

  auto operator<=>(const Rank&) const = default;
};

/// One request on its way through the scheduler. Its caller is answered exactly once: with the
/// outcome of its run, or before that because the queue is full, the deadline came or the caller
/// left. A run that is under way then goes on without a caller until the engine ends it.
///
///     waiting ──► running ──► over        an engine that answers in place
///        │           └──► open ──► over   an engine that ends runs later, from its own threads
///        └──────────────────► over        refused
///
/// Answering is thread-safe; the members for the scheduler are guarded by its lock.
class Job : public engine::Run, public std::enable_shared_from_this<Job> {
 public:
  /// `queue` must live as long as the job, which may see to it; `input_bytes` say how large it is.
  Job(ModelQueue& queue, Deadline deadline, std::uint64_t input_bytes)
      : queue_(queue), deadline_(deadline), input_bytes_(input_bytes) {}
  ~Job() override {
    if (watched_ != nullptr) watched_->Forget(this);
  }

  // What disciplines look at.

  /// Items along the batch axis; 0 if it never shares a run.
  std::int64_t items = 0;
  /// Jobs with the same one run one after the other; null for a request that stands alone.
  const void* sequence = nullptr;
  /// Whether it may run on the thread that submits it.
  bool may_run_inline = true;
  /// Whether the two may share a run; asked of jobs of one model that have items.
  virtual bool CanShare(const Job& /*other*/) const { return false; }

  /// Since when it waits. Guarded by the lock of the scheduler.
  SteadyClock::time_point queued_at() const { return queued_at_; }

  // What runners do.

  /// How long it waited, once it has been taken.
  std::int64_t queue_time_us() const { return queue_time_us_; }
  bool answered() const { return answered_.load(std::memory_order_acquire); }
  /// Why a job that waited should not be run: CANCELLED, DEADLINE_EXCEEDED.
  Status CheckTime() const;
  /// Whether it is to be run now. If not, its caller has been answered.
  bool StillWanted();
  /// The model was run once for so many items: those of this job, and of the others in its batch.
  virtual void CountRun(std::int64_t items, std::int64_t run_time_us) = 0;
  /// Answers with the outcome of a run. Nothing if the caller has been answered.
  void Answer(Result<engine::InferenceResponse> outcome, std::int64_t run_time_us);

  /// Answers a job that was not run and will not be: OVERLOADED, DEADLINE_EXCEEDED, DRAINING,
  /// CANCELLED. Nothing if the caller has been answered.
  void Refuse(Status why);
  /// Answers while the run goes on without a caller.
  void Abandon(Status why);

  // As an engine's run.
  engine::Stop& stop() override { return stop_; }
  void End(Status status) final;

  ModelQueue& queue() const { return queue_; }
  std::uint64_t input_bytes() const { return input_bytes_; }
  Deadline deadline() const { return deadline_; }

 protected:
  /// Each is called once at most, and only one of the first two.
  virtual void OnAnswer(Result<engine::InferenceResponse> outcome, std::int64_t run_time_us) = 0;
  /// `ran`: a run of it is under way, and still reads the request.
  virtual void OnRefuse(Status why, bool ran) = 0;
  /// The engine has ended a run that was submitted to it.
  virtual void OnEnd(Status status) = 0;

  /// True for the one who may answer.
  bool Claim() { return !answered_.exchange(true, std::memory_order_acq_rel); }

 private:
  friend class RunQueue;
  friend class Scheduler;
  friend class Timer;
  friend class Watchdog;
  enum class Phase : std::uint8_t { kNew, kWaiting, kRunning, kOpen, kOver };

  ModelQueue& queue_;
  const Deadline deadline_;
  const std::uint64_t input_bytes_;
  std::atomic<bool> answered_{false};
  engine::Stop stop_;
  /// Tells the scheduler when the caller leaves.
  std::shared_ptr<const engine::Cancellation> watched_;
  std::int64_t queue_time_us_ = 0;

  // Guarded by the lock of the scheduler.
  Phase phase_ = Phase::kNew;
  bool parked_ = false;   ///< waits for the job before it in its sequence
  bool timed_ = false;    ///< its deadline is watched
  bool overdue_ = false;  ///< open, and has not stopped when it should have
  Rank rank_;
  SteadyClock::time_point queued_at_;
  SteadyClock::time_point stopped_at_ = SteadyClock::time_point::max();
  JobOwner* owner_ = nullptr;
};

/// OVERLOADED.
Status Overload(std::uint32_t queue_length_max);

}  // namespace mlos::scheduler
