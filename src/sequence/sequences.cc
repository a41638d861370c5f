// SPDX-License-Identifier: MIT
#include "sequence/sequences.h"

#include <utility>

#include "base/text.h"

namespace mlos::sequence {
namespace {

using engine::InferenceRequest;
using engine::InferenceResponse;
using engine::SequenceStep;

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

Result<Sequences::Entry> Sequences::Enter(SequenceStep& step, resource::ByteBudget* account) {
  bool begun = false;
  Sequence* sequence = nullptr;
  {
    const MutexLock lock(mutex_);
    sequence = MLOS_TRY(FindOrBegin(step, account == nullptr ? budget_ : *account, begun));
    ++sequence->entries;
    step.number = sequence->number;
  }
  // Without the lock, which the reaper takes while it holds its own. The sequence cannot be over
  // before it is counted, since it has an entry.
  if (begun) reaper_.Enter();
  return Entry(*this, *sequence);
}

Result<Sequences::Sequence*> Sequences::FindOrBegin(const SequenceStep& step,
                                                    resource::ByteBudget& account, bool& begun) {
  const auto found = sequences_.find(step.id);
  if (found != sequences_.end()) {
    if (found->second.entries == 0) idle_.erase(found->second.idle_place);
    return &found->second;
  }
  if (!step.start) return NotUnderWay(step.id);
  if (sequences_.size() >= options_.sequences_max) {
    return Status(Reason::kOverloaded,
                  std::to_string(sequences_.size()) +
                      " sequences are under way with this model, as many as may be; end one, or "
                      "try again later");
  }
  resource::Reservation held = MLOS_TRY(account.Reserve(kEntryBytes));
  Sequence& sequence = sequences_.try_emplace(step.id).first->second;
  sequence.id = step.id;
  sequence.number = next_number_++;
  sequence.account = &account;
  sequence.held = std::move(held);
  begun = true;
  return &sequence;
}

Result<InferenceResponse> Sequences::Run(const Entry& entry, const InferenceRequest& asked,
                                         engine::Stop* stop, std::int64_t& run_time_us) {
  Sequence& sequence = *entry.sequence_;
  if (!asked.sequence->start && !sequence.state) return NotUnderWay(asked.sequence->id);
  // Takes the place of what is there only once the request has succeeded.
  std::optional<State> fresh;
  if (asked.sequence->start) {
    fresh.emplace(pairs_, model_.schema(), *sequence.account);
    MLOS_TRY(fresh->Zero(asked.inputs));
  }
  const InferenceRequest request = MLOS_TRY((fresh ? *fresh : *sequence.state).Complete(asked));
  const SteadyClock::time_point start = SteadyClock::now();
  Result<InferenceResponse> outcome = model_.Infer(request, stop);
  const SteadyClock::time_point end = SteadyClock::now();
  run_time_us = MicrosecondsBetween(start, end);
  if (!outcome.ok()) return outcome;
  // It is answered that it comes too late: to the caller, it has not happened.
  if (asked.deadline <= end || asked.cancelled()) return outcome;
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
  const MutexLock lock(mutex_);
  sequence.established = !asked.sequence->end;
  const std::size_t wanted = CountWanted(asked, pairs_, model_.schema());
  if (response.outputs.size() > wanted) response.outputs.resize(wanted);
  return OkStatus();
}

Status Sequences::CheckGoesOn(const Entry& entry, const SequenceStep& step) {
  const MutexLock lock(mutex_);
  return step.start || entry.sequence_->established ? OkStatus() : NotUnderWay(step.id);
}

void Sequences::GoneOn(const Entry& entry, const SequenceStep& step) {
  const MutexLock lock(mutex_);
  entry.sequence_->established = !step.end;
}

void Sequences::Leave(Sequence& sequence) {
  const MutexLock lock(mutex_);
  if (--sequence.entries > 0) return;
  if (!sequence.established) return Erase(sequence);
  sequence.idle_since = SteadyClock::now();
  sequence.idle_place = idle_.insert(idle_.end(), &sequence);
}

void Sequences::Erase(Sequence& sequence) {
  // Not by a reference to what dies with the entry.
  sequences_.erase(sequences_.find(sequence.id));
  reaper_.Leave();
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
