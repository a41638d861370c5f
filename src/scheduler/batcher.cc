// SPDX-License-Identifier: MIT
#include "scheduler/batcher.h"

#include <algorithm>
#include <chrono>
#include <string>
#include <string_view>
#include <utility>

#include "base/log.h"
#include "scheduler/batch_merge.h"

namespace mlos::scheduler {
namespace {

// A run may be kept waiting for more items by this part of what it takes.
constexpr std::int64_t kLingerShare = 8;

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
  if (trials_.PassBy()) return scheduler.Submit(std::move(job));
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
  const std::int64_t items = ItemsOf(batch);
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
  if (trials_.trusted()) Linger();
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

bool Batcher::StillWanted(Waiting& waiting) {
  waiting.queue_time_us = MicrosecondsSince(waiting.since);
  Status status = Scheduler::CheckTime(*waiting.job);
  if (status.ok()) return true;
  waiting.job->Refuse(std::move(status), waiting.queue_time_us);
  return false;
}

void Batcher::Run(Batch batch) {
  if (batch.size() < 2) return RunAlone(std::move(batch));
  Batch wanted;
  for (Waiting& waiting : batch) {
    if (StillWanted(waiting)) wanted.push_back(std::move(waiting));
  }
  if (wanted.size() < 2) return RunAlone(std::move(wanted));
  const Likeness likeness =
      trials_.all_trusted() ? Likeness::kDifferent : Compare(RequestsOf(wanted));
  using Step = MergeTrials::Step;
  const Step step = trials_.Next(likeness);
  if (step == Step::kRunAlone) return RunAlone(std::move(wanted));
  if (step == Step::kTry) return Try(std::move(wanted), likeness);
  RunMerged(std::move(wanted), step == Step::kMergeAndCheck);
}

std::int64_t Batcher::ItemsOf(const Batch& batch) {
  std::int64_t items = 0;
  for (const Waiting& waiting : batch) items += waiting.items;
  return items;
}

std::vector<const engine::InferenceRequest*> Batcher::RequestsOf(const Batch& batch) {
  std::vector<const engine::InferenceRequest*> requests;
  requests.reserve(batch.size());
  for (const Waiting& waiting : batch) requests.push_back(&waiting.job->request());
  return requests;
}

void Batcher::RunAlone(Batch batch) {
  for (Waiting& waiting : batch) {
    if (StillWanted(waiting)) waiting.job->Run(waiting.queue_time_us);
  }
}

Result<Batcher::Responses> Batcher::RunTogether(const Batch& batch) {
  std::vector<std::int64_t> items;
  std::uint64_t bytes = 0;
  for (const Waiting& waiting : batch) {
    items.push_back(waiting.items);
    bytes += InputBytes(waiting.job->request());
  }
  const resource::Reservation copies = MLOS_TRY(budget_.Reserve(bytes));
  const engine::InferenceRequest merged = MLOS_TRY(Merge(RequestsOf(batch)));
  return Split(MLOS_TRY(model_.Infer(merged)), items);
}

// One caller's data may make the run fail: then each is run by itself.
void Batcher::RunMerged(Batch batch, bool check) {
  const SteadyClock::time_point start = SteadyClock::now();
  auto responses = RunTogether(batch);
  if (!responses.ok()) return RunAlone(std::move(batch));
  const std::int64_t run_time_us = MicrosecondsSince(start);
  last_run_us_.store(run_time_us);
  if (check && !Check(batch, *responses)) return RunAlone(std::move(batch));
  batch[0].job->CountRun(ItemsOf(batch), run_time_us);
  for (std::size_t i = 0; i < batch.size(); ++i) {
    batch[i].job->Answer(std::move((*responses)[i]), batch[i].queue_time_us, run_time_us);
  }
}

bool Batcher::Check(const Batch& batch, const Responses& responses) {
  const std::size_t check = checks_.fetch_add(1, std::memory_order_relaxed);
  // The last one first: more could have influenced it.
  const std::size_t i = batch.size() - 1 - check % batch.size();
  const auto alone = model_.Infer(batch[i].job->request());
  if (!alone.ok() || NearlyEqual(*alone, responses[i])) return true;
  trials_.Differ();
  Log(LogLevel::kWarning, "a merged run gave another answer than a lone one; batching is off",
      {{"model", model_id_}, {"requests", batch.size()}});
  return false;
}

void Batcher::Try(Batch batch, Likeness likeness) {
  Trial trial{.likeness = likeness};
  Batch tried;
  std::vector<std::int64_t> times_us;
  for (Waiting& waiting : batch) {
    if (!StillWanted(waiting)) continue;
    const SteadyClock::time_point start = SteadyClock::now();
    trial.alone.push_back(model_.Infer(waiting.job->request()));
    times_us.push_back(MicrosecondsSince(start));
    trial.alone_us += times_us.back();
    tried.push_back(std::move(waiting));
  }
  // What a caller's own data made fail says nothing about the model.
  const bool all_ran = std::ranges::all_of(trial.alone, [](auto& one) { return one.ok(); });
  if (all_ran && tried.size() > 1) {
    const SteadyClock::time_point start = SteadyClock::now();
    trial.merged = RunTogether(tried);
    trial.merged_us = MicrosecondsSince(start);
    last_run_us_.store(trial.merged_us);
    Conclude(trial);
  }
  for (std::size_t i = 0; i < tried.size(); ++i) {
    if (trial.alone[i].ok()) tried[i].job->CountRun(tried[i].items, times_us[i]);
    tried[i].job->Answer(std::move(trial.alone[i]), tried[i].queue_time_us, times_us[i]);
  }
}

void Batcher::Conclude(const Trial& trial) {
  const bool no_memory =
      !trial.merged.ok() && trial.merged.status().code() == StatusCode::kResourceExhausted;
  const bool equal = trial.merged.ok() && std::ranges::equal(trial.alone, *trial.merged,
                                                             [](const auto& one, const auto& part) {
                                                               return NearlyEqual(*one, part);
                                                             });
  std::string_view equality = equal ? "yes" : "no";
  if (no_memory) {
    equality = "unknown";
    trials_.Impossible();
  } else if (equal) {
    trials_.Equal(trial.likeness, trial.alone_us, trial.merged_us);
  } else {
    trials_.Differ();
  }
  Log(LogLevel::kInfo, "dynamic batching tried",
      {{"model", model_id_},
       {"requests_differ", trial.likeness == Likeness::kDifferent ? "yes" : "no"},
       {"answers_equal", equality},
       {"alone_us", trial.alone_us},
       {"merged_us", trial.merged_us},
       {"batching", trials_.off()       ? "off"
                    : trials_.trusted() ? "on"
                                        : "on trial"}});
}

}  // namespace mlos::scheduler
