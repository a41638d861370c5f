// SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>
#include <deque>
#include <list>
#include <memory>
#include <optional>
#include <string>
#include <unordered_map>
#include <utility>

#include "base/clock.h"
#include "base/mutex.h"
#include "base/result.h"
#include "engine/engine.h"
#include "resource/byte_budget.h"
#include "scheduler/batcher.h"
#include "scheduler/scheduler.h"
#include "sequence/reaper.h"
#include "sequence/state.h"
#include "sequence/state_pairs.h"

namespace mlos::sequence {

struct SequenceOptions {
  /// Of one model, under way at once.
  std::uint32_t sequences_max = 4096;
  /// Requests of one model that wait for those before them in their sequences.
  std::uint32_t queue_length_max = 1024;
};

/// The sequences of one model: what each of them carries on, and the requests that wait for their
/// turn in it. Those of one sequence run one after the other, in the order in which they were
/// submitted, and never share a run; those of different ones run side by side. A sequence begins
/// with a request that says so, and is over with the one that ends it, when nobody has gone on with
/// it for a while, or with the model. Thread-safe.
class Sequences : public Reapable {
 public:
  /// `model`, `budget` and `reaper` must outlive it.
  Sequences(engine::LoadedModel& model, StatePairs pairs, resource::ByteBudget& budget,
            Reaper& reaper, const SequenceOptions& options);
  ~Sequences() override;

  const StatePairs& pairs() const { return pairs_; }

  /// Takes the job, whose request belongs to a sequence, or refuses it as Scheduler::Submit does
  /// and with
  ///  - INVALID_FIELD, field sequence_start, where its sequence is not under way and it does not
  ///    start it;
  ///  - OVERLOADED where as many sequences are under way, or requests wait, as may be, or the
  ///    budget has no room for the state;
  ///  - MISSING_INPUT for a state that it has to begin with itself (see State::Zero).
  /// A request that starts a sequence which is under way starts it anew. The state that a sequence
  /// goes on with is that of its last request that succeeded. Runs happen on the calling thread or
  /// on `scheduler`'s; `owner` keeps this alive until then.
  void Submit(scheduler::Scheduler& scheduler, std::unique_ptr<scheduler::MergeableJob> job,
              std::shared_ptr<const void> owner);

  SteadyClock::time_point EndIdle(SteadyClock::time_point idle_since) override;

 private:
  class Turn;
  struct Waiting {
    std::unique_ptr<scheduler::MergeableJob> job;
    SteadyClock::time_point since;
  };
  struct Sequence {
    std::string id;
    // What its entry takes beside its state.
    resource::Reservation held;
    std::deque<Waiting> waiting;
    // A turn is under way: `state` is its thread's, whoever holds the lock.
    bool busy = false;
    // None until the first request has succeeded.
    std::optional<State> state;
    // While it is not busy.
    SteadyClock::time_point idle_since;
    std::list<Sequence*>::iterator idle_place;
  };

  /// Puts the job last in its sequence. The sequence where a turn has to be taken for it; null
  /// where one is under way. `begun`: it is a new one.
  Result<Sequence*> Push(std::unique_ptr<scheduler::MergeableJob>& job, bool& begun);
  Result<Sequence*> FindOrBegin(const engine::SequenceStep& step, bool& begun) REQUIRES(mutex_);
  /// Runs or refuses the next request. True where more are waiting.
  bool RunTurn(Sequence& sequence);
  Result<engine::InferenceResponse> Run(Sequence& sequence, scheduler::MergeableJob& job,
                                        std::int64_t& run_time_us);
  /// Carries the state of an answer on and takes it out where it was not asked for.
  Status Conclude(Sequence& sequence, const engine::InferenceRequest& asked,
                  std::optional<State> fresh, engine::InferenceResponse& response);
  Waiting Take(Sequence& sequence);
  /// After a turn: true where the next one has to be taken. Otherwise the sequence is idle, or
  /// gone.
  bool Settle(Sequence& sequence);
  bool SettleLocked(Sequence& sequence) REQUIRES(mutex_);
  void Erase(Sequence& sequence) REQUIRES(mutex_);
  void RefuseAll(Sequence& sequence, const Status& why);

  engine::LoadedModel& model_;
  const StatePairs pairs_;
  resource::ByteBudget& budget_;
  Reaper& reaper_;
  const SequenceOptions options_;

  Mutex mutex_;
  std::unordered_map<std::string, Sequence> sequences_ GUARDED_BY(mutex_);
  // Those that are not busy, the longest idle first.
  std::list<Sequence*> idle_ GUARDED_BY(mutex_);
  std::uint32_t waiting_ GUARDED_BY(mutex_) = 0;
};

}  // namespace mlos::sequence
