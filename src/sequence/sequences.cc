// SPDX-License-Identifier: MIT
#include "sequence/sequences.h"

#include <algorithm>

#include "base/text.h"

namespace mlos::sequence {
namespace {

using engine::InferenceRequest;
using engine::InferenceResponse;
using engine::SequenceStep;
using scheduler::MergeableJob;
using scheduler::Scheduler;

// What a sequence takes beside its state: its entry, its id, its place among the idle ones.
constexpr std::uint64_t kEntryBytes = 512;

Status NotUnderWay(const std::string& id) {
  return Status(Reason::kInvalidField,
                "no sequence '" + Excerpt(id) +
                    "' is under way with this model: it was not started, failed at its start, has "
                    "ended, or was idle for too long; its first request has sequence_start")
      .WithField("sequence_start");
}

}  // namespace

/// A place in the scheduler's queue at which one request of a sequence is run.
class Sequences::Turn : public scheduler::Job {
 public:
  /// `input_bytes` are those of its first request.
  Turn(Sequences& sequences, Sequence& sequence, scheduler::Lane& lane, std::uint64_t input_bytes,
       std::shared_ptr<const void> owner)
      : Job(lane, kNoDeadline, input_bytes),
        sequences_(sequences),
        sequence_(sequence),
        owner_(std::move(owner)) {}

  void Run(std::int64_t /*queue_time_us*/) override { unfinished_ = sequences_.RunTurn(sequence_); }
  void Refuse(Status why, std::int64_t /*queue_time_us*/) override {
    unfinished_ = false;
    sequences_.RefuseAll(sequence_, why);
  }
  bool unfinished() const override { return unfinished_; }

 private:
  Sequences& sequences_;
  Sequence& sequence_;
  const std::shared_ptr<const void> owner_;
  bool unfinished_ = false;
};

Sequences::Sequences(engine::LoadedModel& model, StatePairs pairs, resource::ByteBudget& budget,
                     Reaper& reaper, const SequenceOptions& options)
    : model_(model), pairs_(std::move(pairs)), budget_(budget), reaper_(reaper), options_(options) {
  reaper_.Watch(*this);
}

Sequences::~Sequences() {
  reaper_.Forget(*this);
  const MutexLock lock(mutex_);
  for (std::size_t i = 0; i < sequences_.size(); ++i) reaper_.Leave();
}

void Sequences::Submit(Scheduler& scheduler, std::unique_ptr<MergeableJob> job,
                       std::shared_ptr<const void> owner) {
  if (Status wanted = scheduler.CheckWanted(*job); !wanted.ok()) {
    return job->Refuse(std::move(wanted), 0);
  }
  scheduler::Lane& lane = job->lane();
  const std::uint64_t input_bytes = job->input_bytes();
  bool begun = false;
  const Result<Sequence*> sequence = Push(job, begun);
  if (!sequence.ok()) return job->Refuse(sequence.status(), 0);
  if (*sequence == nullptr) return;
  // Without the lock, which the reaper takes while it holds its own; the turn is not taken yet, so
  // that the sequence cannot be over before it is counted.
  if (begun) reaper_.Enter();
  scheduler.Submit(std::make_unique<Turn>(*this, **sequence, lane, input_bytes, std::move(owner)));
}

Result<Sequences::Sequence*> Sequences::Push(std::unique_ptr<MergeableJob>& job, bool& begun) {
  const MutexLock lock(mutex_);
  if (waiting_ >= options_.queue_length_max) return scheduler::Overload(options_.queue_length_max);
  Sequence& sequence = *MLOS_TRY(FindOrBegin(*job->request().sequence, begun));
  sequence.waiting.push_back({std::move(job), SteadyClock::now()});
  ++waiting_;
  if (sequence.busy) return nullptr;
  sequence.busy = true;
  return &sequence;
}

Result<Sequences::Sequence*> Sequences::FindOrBegin(const SequenceStep& step, bool& begun) {
  const auto found = sequences_.find(step.id);
  if (found != sequences_.end()) {
    if (!found->second.busy) idle_.erase(found->second.idle_place);
    return &found->second;
  }
  if (!step.start) return NotUnderWay(step.id);
  if (sequences_.size() >= options_.sequences_max) {
    return Status(Reason::kOverloaded,
                  std::to_string(sequences_.size()) +
                      " sequences are under way with this model, as many as may be; end one, or "
                      "try again later");
  }
  resource::Reservation held = MLOS_TRY(budget_.Reserve(kEntryBytes));
  Sequence& sequence = sequences_.try_emplace(step.id).first->second;
  sequence.id = step.id;
  sequence.held = std::move(held);
  begun = true;
  return &sequence;
}

bool Sequences::RunTurn(Sequence& sequence) {
  const Waiting next = Take(sequence);
  const std::int64_t queue_time_us = MicrosecondsBetween(next.since, SteadyClock::now());
  if (Status wanted = Scheduler::CheckTime(*next.job); !wanted.ok()) {
    const bool more = Settle(sequence);
    next.job->Refuse(std::move(wanted), queue_time_us);
    return more;
  }
  std::int64_t run_time_us = 0;
  Result<InferenceResponse> outcome = Run(sequence, *next.job, run_time_us);
  // Before the answer: whoever sees it finds the sequence as it left it.
  const bool more = Settle(sequence);
  next.job->Answer(std::move(outcome), queue_time_us, run_time_us);
  return more;
}

Result<InferenceResponse> Sequences::Run(Sequence& sequence, MergeableJob& job,
                                         std::int64_t& run_time_us) {
  const InferenceRequest& asked = job.request();
  if (!asked.sequence->start && !sequence.state) return NotUnderWay(asked.sequence->id);
  // Takes the place of what is there only once the request has succeeded.
  std::optional<State> fresh;
  if (asked.sequence->start) {
    fresh.emplace(pairs_, model_.schema(), budget_);
    MLOS_TRY(fresh->Zero(asked.inputs));
  }
  const InferenceRequest request = MLOS_TRY((fresh ? *fresh : *sequence.state).Complete(asked));
  const SteadyClock::time_point start = SteadyClock::now();
  Result<InferenceResponse> outcome = model_.Infer(request);
  const SteadyClock::time_point end = SteadyClock::now();
  run_time_us = MicrosecondsBetween(start, end);
  if (!outcome.ok()) return outcome;
  job.lane().RecordRunTime(run_time_us, job.input_bytes());
  job.CountRun(1, run_time_us);
  // It is answered that it comes too late: to the caller, it has not happened.
  if (asked.deadline <= end) return outcome;
  MLOS_TRY(Conclude(sequence, asked, std::move(fresh), *outcome));
  return outcome;
}

Status Sequences::Conclude(Sequence& sequence, const InferenceRequest& asked,
                           std::optional<State> fresh, InferenceResponse& response) {
  if (asked.sequence->end) {
    sequence.state.reset();
  } else {
    MLOS_TRY((fresh ? *fresh : *sequence.state).Keep(response));
    if (fresh) sequence.state = std::move(fresh);
  }
  const std::size_t wanted = CountWanted(asked, pairs_, model_.schema());
  if (response.outputs.size() > wanted) response.outputs.resize(wanted);
  return OkStatus();
}

Sequences::Waiting Sequences::Take(Sequence& sequence) {
  const MutexLock lock(mutex_);
  Waiting next = std::move(sequence.waiting.front());
  sequence.waiting.pop_front();
  --waiting_;
  return next;
}

bool Sequences::Settle(Sequence& sequence) {
  const MutexLock lock(mutex_);
  return SettleLocked(sequence);
}

bool Sequences::SettleLocked(Sequence& sequence) {
  if (!sequence.waiting.empty()) return true;
  if (!sequence.state) {
    Erase(sequence);
    return false;
  }
  sequence.busy = false;
  sequence.idle_since = SteadyClock::now();
  sequence.idle_place = idle_.insert(idle_.end(), &sequence);
  return false;
}

void Sequences::Erase(Sequence& sequence) {
  // Not by a reference to what dies with the entry.
  sequences_.erase(sequences_.find(sequence.id));
  reaper_.Leave();
}

void Sequences::RefuseAll(Sequence& sequence, const Status& why) {
  std::deque<Waiting> refused;
  {
    const MutexLock lock(mutex_);
    refused.swap(sequence.waiting);
    waiting_ -= static_cast<std::uint32_t>(refused.size());
    SettleLocked(sequence);
  }
  for (const Waiting& waiting : refused) {
    waiting.job->Refuse(why, MicrosecondsBetween(waiting.since, SteadyClock::now()));
  }
}

SteadyClock::time_point Sequences::EndIdle(SteadyClock::time_point idle_since) {
  const MutexLock lock(mutex_);
  while (!idle_.empty() && idle_.front()->idle_since <= idle_since) {
    Sequence& sequence = *idle_.front();
    idle_.pop_front();
    Erase(sequence);
  }
  return idle_.empty() ? kNoDeadline : idle_.front()->idle_since;
}

}  // namespace mlos::sequence
