// SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>
#include <list>
#include <optional>
#include <string>
#include <unordered_map>
#include <utility>

#include "base/clock.h"
#include "base/mutex.h"
#include "base/result.h"
#include "engine/engine.h"
#include "resource/byte_budget.h"
#include "sequence/reaper.h"
#include "sequence/state.h"
#include "sequence/state_pairs.h"

namespace mlos::sequence {

struct SequenceOptions {
  /// Of one model, under way at once.
  std::uint32_t sequences_max = 4096;
};

/// The sequences of one model, and what each of them carries on: the state that its graph gives and
/// takes, or, for an engine that keeps state itself, only that it is under way. Whoever runs its
/// requests sees to it that those of one sequence run one after the other, in their order, and
/// never share a run. A sequence begins with a request that says so. It is over with the one that
/// ends it, when nobody has gone on with it for a while, or with the model. Thread-safe.
class Sequences : public Reapable {
 private:
  struct Sequence;

 public:
  /// `model`, `budget` and `reaper` must outlive it. Without `pairs` the engine keeps the state.
  Sequences(engine::LoadedModel& model, StatePairs pairs, resource::ByteBudget& budget,
            Reaper& reaper, const SequenceOptions& options);
  ~Sequences() override;

  const StatePairs& pairs() const { return pairs_; }

  /// A request's place in its sequence: while one lives, the sequence is not idle.
  class Entry {
   public:
    Entry() = default;
    Entry(Sequences& sequences, Sequence& sequence)
        : sequences_(&sequences), sequence_(&sequence) {}
    Entry(Entry&& other) noexcept
        : sequences_(std::exchange(other.sequences_, nullptr)), sequence_(other.sequence_) {}
    Entry& operator=(Entry&& other) noexcept {
      Leave();
      sequences_ = std::exchange(other.sequences_, nullptr);
      sequence_ = other.sequence_;
      return *this;
    }
    ~Entry() { Leave(); }

    void Leave() {
      if (sequences_ != nullptr) std::exchange(sequences_, nullptr)->Leave(*sequence_);
    }
    /// The same for all requests of the sequence; null for none.
    const void* key() const { return sequences_ == nullptr ? nullptr : sequence_; }

   private:
    friend class Sequences;
    Sequences* sequences_ = nullptr;
    Sequence* sequence_ = nullptr;
  };

  /// The place of a request that begins a sequence or goes on with it, and gives `step` its number.
  ///  - INVALID_FIELD, field sequence_start, if its sequence is not under way and it does not
  ///    start it;
  ///  - OVERLOADED if as many sequences are under way as may be, or the budget has no room.
  /// A request that starts a sequence which is under way starts it anew. A sequence that begins
  /// counts against `account`, which outlives it, or if that is null against the budget.
  Result<Entry> Enter(engine::SequenceStep& step, resource::ByteBudget* account = nullptr);

  /// Runs the request at `entry` on the calling thread, with the state that the last request which
  /// succeeded left, and keeps the state of its answer. Fails like LoadedModel::Infer, like Enter
  /// if the requests before it failed, and with MISSING_INPUT for a state that it has to begin with
  /// itself (see State::Zero). `run_time_us` is set if the model was run.
  Result<engine::InferenceResponse> Run(const Entry& entry, const engine::InferenceRequest& asked,
                                        engine::Stop* stop, std::int64_t& run_time_us);

  /// For an engine that keeps the state: why the request at `entry` cannot go on.
  Status CheckGoesOn(const Entry& entry, const engine::SequenceStep& step);
  /// The engine has answered it.
  void GoneOn(const Entry& entry, const engine::SequenceStep& step);

  SteadyClock::time_point EndIdle(SteadyClock::time_point idle_since) override;

 private:
  struct Sequence {
    std::string id;
    std::uint64_t number = 0;
    resource::ByteBudget* account = nullptr;
    // What its entry takes beside its state.
    resource::Reservation held;
    std::uint32_t entries = 0;
    // A request has succeeded: those that do not start it go on from there.
    bool established = false;
    // Of the request that runs, whoever holds the lock; none until one has succeeded, or if the
    // engine keeps it.
    std::optional<State> state;
    // While it has no entries.
    SteadyClock::time_point idle_since;
    std::list<Sequence*>::iterator idle_place;
  };

  Result<Sequence*> FindOrBegin(const engine::SequenceStep& step, resource::ByteBudget& account,
                                bool& begun) REQUIRES(mutex_);
  /// Carries the state of an answer on and takes it out if it was not asked for.
  Status Conclude(Sequence& sequence, const engine::InferenceRequest& asked,
                  std::optional<State> fresh, engine::InferenceResponse& response);
  void Leave(Sequence& sequence);
  void Erase(Sequence& sequence) REQUIRES(mutex_);

  engine::LoadedModel& model_;
  const StatePairs pairs_;
  resource::ByteBudget& budget_;
  Reaper& reaper_;
  const SequenceOptions options_;

  Mutex mutex_;
  std::unordered_map<std::string, Sequence> sequences_ GUARDED_BY(mutex_);
  // Those without entries, the longest idle first.
  std::list<Sequence*> idle_ GUARDED_BY(mutex_);
  std::uint64_t next_number_ GUARDED_BY(mutex_) = 1;
};

}  // namespace mlos::sequence
