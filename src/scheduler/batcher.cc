// SPDX-License-Identifier: MIT
#include "scheduler/batcher.h"

#include <algorithm>
#include <chrono>
#include <string>
#include <string_view>
#include <utility>

#include "base/log.h"
#include "scheduler/batching/batch_merge.h"
#include "scheduler/lone_run.h"
#include "scheduler/model_queue.h"

namespace mlos::scheduler {
namespace {

// A run may be kept waiting for more items by this part of what it takes.
constexpr std::int64_t kLingerShare = 8;

std::int64_t MicrosecondsSince(SteadyClock::time_point start) {
  return MicrosecondsBetween(start, SteadyClock::now());
}

std::int64_t ItemsOf(const Waiting& waiting, std::int64_t enough) {
  std::int64_t items = 0;
  for (const auto& [rank, job] : waiting) {
    items += job->items;
    if (items >= enough) break;
  }
  return items;
}

// What each of so many runs gets of the items.
std::int64_t Part(std::int64_t items, std::uint32_t runs) { return (items + runs - 1) / runs; }

std::int64_t ItemsOf(const std::vector<Job*>& batch) {
  std::int64_t items = 0;
  for (const Job* job : batch) items += job->items;
  return items;
}

std::vector<const engine::InferenceRequest*> RequestsOf(const std::vector<Job*>& batch) {
  std::vector<const engine::InferenceRequest*> requests;
  requests.reserve(batch.size());
  for (const Job* job : batch) requests.push_back(&job->request());
  return requests;
}

}  // namespace

// While merging rests, a request need not wait for others.
void Batcher::Enter(Job& job) {
  if (job.items > 0 && trials_.PassBy()) job.items = 0;
}

void Batcher::Over(std::int64_t items, const Waiting& waiting) {
  running_items_ -= items;
  recent_items_ = items + running_items_;
  // Who came since a shared run was answered had a part in it, and is counted already.
  const SteadyClock::time_point until =
      items > 1 ? answered_at_.load() : SteadyClock::time_point::max();
  for (const auto& [rank, job] : waiting) {
    if (job->queued_at() <= until) recent_items_ += job->items;
  }
}

// It lingers for more items, if fewer wait than lately.
SteadyClock::time_point Batcher::Begins(const Waiting& waiting, SteadyClock::time_point now) {
  if (!Shares(*waiting.begin()->second) || !trials_.trusted()) return now;
  const std::int64_t wanted =
      std::min<std::int64_t>(options_.max_batch_size, options_.preferred_batch_size != 0
                                                          ? options_.preferred_batch_size
                                                          : Part(recent_items_, options_.slots));
  if (ItemsOf(waiting, wanted) >= wanted) return now;
  if (linger_until_ == SteadyClock::time_point()) {
    const std::int64_t delay_us =
        std::min(options_.max_queue_delay_us, last_run_us_.load() / kLingerShare);
    linger_until_ = now + std::chrono::microseconds(delay_us);
  }
  return linger_until_;
}

Choice Batcher::Next(Waiting& waiting, std::uint32_t free_runs) {
  linger_until_ = {};
  Choice choice{waiting.begin()};
  if (Shares(*waiting.begin()->second)) AddSharing(waiting, free_runs, choice);
  for (const Waiting::iterator job : choice) running_items_ += job->second->items;
  return choice;
}

void Batcher::AddSharing(Waiting& waiting, std::uint32_t free_runs, Choice& choice) const {
  const std::int64_t items_max = options_.max_batch_size;
  const std::int64_t enough =
      std::min(items_max, Part(ItemsOf(waiting, items_max * free_runs), free_runs));
  const Job& first = *waiting.begin()->second;
  std::int64_t items = first.items;
  for (auto next = std::next(waiting.begin()); next != waiting.end() && items < enough; ++next) {
    const Job& job = *next->second;
    if (job.items == 0 || items + job.items > items_max) continue;
    if (!first.CanShare(job)) continue;
    items += job.items;
    choice.push_back(next);
  }
}

void Batcher::Run(Jobs jobs, engine::Stop* stop) {
  Batch wanted;
  for (const std::shared_ptr<Job>& job : jobs) {
    if (job->StillWanted()) wanted.push_back(job.get());
  }
  if (wanted.size() < 2) return RunEach(wanted);
  const batching::Compatibility compatibility = trials_.all_trusted()
                                                    ? batching::Compatibility::kDifferent
                                                    : batching::Compare(RequestsOf(wanted));
  using Step = batching::MergeTrials::Step;
  const Step step = trials_.Next(compatibility);
  if (step == Step::kRunAlone) return RunEach(wanted);
  if (step == Step::kTry) return Try(wanted, compatibility, stop);
  RunMerged(wanted, step == Step::kMergeAndCheck, stop);
}

// Each is stopped by itself: the caller of one may have left while the others wait.
void Batcher::RunEach(const Batch& batch) {
  for (Job* job : batch) {
    if (!job->StillWanted()) continue;
    RunLone(model_, *job, std::max<std::int64_t>(batching::BatchItems(job->request()), 1),
            &job->stop());
  }
}

Result<Batcher::Responses> Batcher::RunTogether(const Batch& batch, engine::Stop* stop) {
  std::vector<std::int64_t> items;
  std::uint64_t bytes = 0;
  for (const Job* job : batch) {
    items.push_back(job->items);
    bytes += batching::InputBytes(job->request());
  }
  const resource::Reservation copies = MLOS_TRY(budget_.Reserve(bytes));
  const engine::InferenceRequest merged = MLOS_TRY(batching::Merge(RequestsOf(batch)));
  return batching::Split(MLOS_TRY(model_.Infer(merged, stop)), items);
}

// One caller's data may make the run fail, or go on until it is told to stop: then each is run by
// itself.
void Batcher::RunMerged(const Batch& batch, bool check, engine::Stop* stop) {
  const SteadyClock::time_point start = SteadyClock::now();
  auto responses = RunTogether(batch, stop);
  if (!responses.ok()) return RunEach(batch);
  const std::int64_t run_time_us = MicrosecondsSince(start);
  last_run_us_.store(run_time_us);
  if (check && !Check(batch, *responses)) return RunEach(batch);
  batch[0]->CountRun(ItemsOf(batch), run_time_us);
  answered_at_.store(SteadyClock::now());
  for (std::size_t i = 0; i < batch.size(); ++i) {
    batch[i]->Answer(std::move((*responses)[i]), run_time_us);
  }
}

bool Batcher::Check(const Batch& batch, const Responses& responses) {
  const std::size_t check = checks_.fetch_add(1, std::memory_order_relaxed);
  // The last one first: more could have influenced it.
  const std::size_t i = batch.size() - 1 - check % batch.size();
  const auto alone = model_.Infer(batch[i]->request(), &batch[i]->stop());
  if (!alone.ok() || batching::NearlyEqual(*alone, responses[i])) return true;
  trials_.Differ();
  Log(LogLevel::kWarning, "a merged run gave another answer than a lone one; batching is off",
      {{"model", model_id_}, {"requests", batch.size()}});
  return false;
}

void Batcher::Try(const Batch& batch, batching::Compatibility compatibility, engine::Stop* stop) {
  Trial trial{.compatibility = compatibility};
  Batch tried;
  std::vector<std::int64_t> times_us;
  for (Job* job : batch) {
    if (!job->StillWanted()) continue;
    const SteadyClock::time_point start = SteadyClock::now();
    trial.alone.push_back(model_.Infer(job->request(), &job->stop()));
    times_us.push_back(MicrosecondsSince(start));
    trial.alone_us += times_us.back();
    tried.push_back(job);
  }
  // A run that a caller's own data made fail says nothing about the model.
  const bool all_ran = std::ranges::all_of(trial.alone, [](auto& one) { return one.ok(); });
  if (all_ran && tried.size() > 1) {
    const SteadyClock::time_point start = SteadyClock::now();
    trial.merged = RunTogether(tried, stop);
    trial.merged_us = MicrosecondsSince(start);
    last_run_us_.store(trial.merged_us);
    if (stop == nullptr || !stop->requested()) Conclude(trial);
  }
  for (std::size_t i = 0; i < tried.size(); ++i) {
    if (trial.alone[i].ok()) tried[i]->CountRun(tried[i]->items, times_us[i]);
    tried[i]->Answer(std::move(trial.alone[i]), times_us[i]);
  }
}

void Batcher::Conclude(const Trial& trial) {
  const bool no_memory =
      !trial.merged.ok() && trial.merged.status().code() == StatusCode::kResourceExhausted;
  const bool equal =
      trial.merged.ok() &&
      std::ranges::equal(trial.alone, *trial.merged, [](const auto& one, const auto& part) {
        return batching::NearlyEqual(*one, part);
      });
  std::string_view equality = equal ? "yes" : "no";
  if (no_memory) {
    equality = "unknown";
    trials_.Impossible();
  } else if (equal) {
    trials_.Equal(trial.compatibility, trial.alone_us, trial.merged_us);
  } else {
    trials_.Differ();
  }
  Log(LogLevel::kInfo, "dynamic batching tried",
      {{"model", model_id_},
       {"requests_differ",
        trial.compatibility == batching::Compatibility::kDifferent ? "yes" : "no"},
       {"answers_equal", equality},
       {"alone_us", trial.alone_us},
       {"merged_us", trial.merged_us},
       {"batching", trials_.off()       ? "off"
                    : trials_.trusted() ? "on"
                                        : "on trial"}});
}

}  // namespace mlos::scheduler
