// SPDX-License-Identifier: MIT
#include "scheduler/batcher.h"

#include <algorithm>
#include <chrono>
#include <string>
#include <utility>

#include "base/log.h"
#include "scheduler/batch_merge.h"

namespace mlos::scheduler {
namespace {

// A run may be kept waiting for more items by this part of what it takes.
constexpr std::int64_t kLingerShare = 8;
// Merging must save this part of the time to be worth it.
constexpr std::int64_t kGainShare = 10;

std::int64_t MicrosecondsSince(SteadyClock::time_point start) {
  return MicrosecondsBetween(start, SteadyClock::now());
}

}  // namespace

/// A place in the scheduler's queue at which one run begins.
class Batcher::Turn : public Job {
 public:
  Turn(Batcher& batcher, Lane& lane, std::shared_ptr<const void> owner)
      : Job(lane, kNoDeadline), batcher_(batcher), owner_(std::move(owner)) {}

  void Run(std::int64_t /*queue_time_us*/) override { unfinished_ = batcher_.RunTurn(); }
  void Refuse(Status why, std::int64_t /*queue_time_us*/) override {
    unfinished_ = false;
    batcher_.EndTurn(why);
  }
  bool is_long() const override { return true; }
  bool unfinished() const override { return unfinished_; }

 private:
  Batcher& batcher_;
  const std::shared_ptr<const void> owner_;
  bool unfinished_ = false;
};

void Batcher::Submit(Scheduler& scheduler, std::unique_ptr<MergeableJob> job,
                     std::shared_ptr<const void> owner) {
  if (Status wanted = scheduler.CheckWanted(*job); !wanted.ok()) {
    return job->Refuse(std::move(wanted), 0);
  }
  Lane& lane = job->lane();
  if (Push(job)) {
    scheduler.Submit(std::make_unique<Turn>(*this, lane, std::move(owner)));
  } else if (job != nullptr) {
    job->Refuse(Overload(options_.queue_length_max), 0);
  }
}

bool Batcher::Push(std::unique_ptr<MergeableJob>& job) {
  const std::int64_t items = BatchItems(job->request());
  const MutexLock lock(mutex_);
  if (pending_.size() >= options_.queue_length_max) return false;
  pending_.push_back({std::move(job), SteadyClock::now(), items});
  pending_items_ += items;
  if (awaited_items_ != 0 && pending_items_ >= awaited_items_) arrived_.NotifyOne();
  if (turns_ >= options_.slots) return false;
  ++turns_;
  return true;
}

bool Batcher::RunTurn() {
  Batch batch = Take();
  std::int64_t items = 0;
  for (const Waiting& waiting : batch) items += waiting.items;
  if (!batch.empty()) Run(std::move(batch));
  const MutexLock lock(mutex_);
  recent_items_ = items + pending_items_;
  if (!pending_.empty()) return true;
  --turns_;
  return false;
}

void Batcher::EndTurn(const Status& why) {
  std::deque<Waiting> refused;
  {
    const MutexLock lock(mutex_);
    if (--turns_ > 0) return;
    refused.swap(pending_);
    pending_items_ = 0;
  }
  for (Waiting& waiting : refused) waiting.job->Refuse(why, MicrosecondsSince(waiting.since));
}

void Batcher::Linger() {
  const std::int64_t wanted = std::min<std::int64_t>(
      options_.max_batch_size,
      options_.preferred_batch_size != 0 ? options_.preferred_batch_size : recent_items_);
  if (pending_items_ >= wanted || awaited_items_ != 0) return;
  const std::int64_t delay_us =
      std::min(options_.max_queue_delay_us, last_run_us_.load() / kLingerShare);
  const Deadline end = SteadyClock::now() + std::chrono::microseconds(delay_us);
  awaited_items_ = wanted;
  while (pending_items_ < wanted && arrived_.WaitUntil(mutex_, end)) {
  }
  awaited_items_ = 0;
}

Batcher::Batch Batcher::Take() {
  Batch batch;
  const MutexLock lock(mutex_);
  if (verdict_.load() == Verdict::kOn) Linger();
  std::deque<Waiting> left;
  std::int64_t items = 0;
  for (Waiting& waiting : pending_) {
    const bool fits = batch.empty() || (enabled() && waiting.items > 0 && batch[0].items > 0 &&
                                        items + waiting.items <= options_.max_batch_size &&
                                        CanMerge(batch[0].job->request(), waiting.job->request()));
    if (fits) items += waiting.items;
    (fits ? static_cast<void>(batch.push_back(std::move(waiting)))
          : left.push_back(std::move(waiting)));
  }
  pending_ = std::move(left);
  pending_items_ -= items;
  return batch;
}

void Batcher::Run(Batch batch) {
  Batch wanted;
  for (Waiting& waiting : batch) {
    waiting.queue_time_us = MicrosecondsSince(waiting.since);
    Status status = Scheduler::CheckTime(*waiting.job);
    if (status.ok()) {
      wanted.push_back(std::move(waiting));
    } else {
      waiting.job->Refuse(std::move(status), waiting.queue_time_us);
    }
  }
  if (wanted.size() < 2) return RunAlone(std::move(wanted));
  if (verdict_.load() == Verdict::kUntried) return Try(std::move(wanted));
  RunMerged(std::move(wanted));
}

void Batcher::RunAlone(Batch batch) {
  for (Waiting& waiting : batch) waiting.job->Run(waiting.queue_time_us);
}

Result<std::vector<engine::InferenceResponse>> Batcher::RunTogether(const Batch& batch) {
  std::vector<const engine::InferenceRequest*> requests;
  std::vector<std::int64_t> items;
  std::uint64_t bytes = 0;
  for (const Waiting& waiting : batch) {
    requests.push_back(&waiting.job->request());
    items.push_back(waiting.items);
    bytes += InputBytes(waiting.job->request());
  }
  const resource::Reservation copies = MLOS_TRY(budget_.Reserve(bytes));
  const engine::InferenceRequest merged = MLOS_TRY(Merge(requests));
  return Split(MLOS_TRY(model_.Infer(merged)), items);
}

// One caller's data may make the run fail: then each is run by itself.
void Batcher::RunMerged(Batch batch) {
  const SteadyClock::time_point start = SteadyClock::now();
  auto responses = RunTogether(batch);
  if (!responses.ok()) return RunAlone(std::move(batch));
  const std::int64_t run_time_us = MicrosecondsSince(start);
  last_run_us_.store(run_time_us);
  for (std::size_t i = 0; i < batch.size(); ++i) {
    batch[i].job->Answer(std::move((*responses)[i]), batch[i].queue_time_us, run_time_us);
  }
}

void Batcher::Try(Batch batch) {
  std::vector<Result<engine::InferenceResponse>> alone;
  std::vector<std::int64_t> times_us;
  std::int64_t alone_us = 0;
  for (const Waiting& waiting : batch) {
    const SteadyClock::time_point start = SteadyClock::now();
    alone.push_back(model_.Infer(waiting.job->request()));
    times_us.push_back(MicrosecondsSince(start));
    alone_us += times_us.back();
  }
  const SteadyClock::time_point start = SteadyClock::now();
  const auto merged = RunTogether(batch);
  const std::int64_t merged_us = MicrosecondsSince(start);
  const bool all_ran = std::all_of(alone.begin(), alone.end(), [](auto& one) { return one.ok(); });
  // What a caller's own data made fail says nothing about the model.
  if (all_ran) {
    bool equal = merged.ok();
    for (std::size_t i = 0; equal && i < alone.size(); ++i) {
      equal = NearlyEqual(*alone[i], (*merged)[i]);
    }
    Conclude(equal, alone_us, merged_us);
  }
  for (std::size_t i = 0; i < batch.size(); ++i) {
    batch[i].job->Answer(std::move(alone[i]), batch[i].queue_time_us, times_us[i]);
  }
}

void Batcher::Conclude(bool equal, std::int64_t alone_us, std::int64_t merged_us) {
  const bool pays = merged_us + alone_us / kGainShare <= alone_us;
  verdict_.store(equal && pays ? Verdict::kOn : Verdict::kOff);
  last_run_us_.store(merged_us);
  Log(LogLevel::kInfo, "dynamic batching tried",
      {{"model", model_id_},
       {"answers_equal", equal ? "yes" : "no"},
       {"alone_us", alone_us},
       {"merged_us", merged_us},
       {"batching", equal && pays ? "on" : "off"}});
}

}  // namespace mlos::scheduler
