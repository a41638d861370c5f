// SPDX-License-Identifier: MIT
#include "scheduler/run_queue.h"

#include <algorithm>

#include "base/check.h"

namespace mlos::scheduler {
namespace {

std::uint32_t RunsMax(const ModelQueue& queue, const RunQueue::Limits& limits) {
  return queue.options().runs_max != 0 ? queue.options().runs_max : limits.runs_max;
}

}  // namespace

std::int64_t RunQueue::Taken::items() const {
  std::int64_t items = 0;
  for (const std::shared_ptr<Job>& job : jobs) items += job->items;
  return items;
}

bool RunQueue::Push(const std::shared_ptr<Job>& job, SteadyClock::time_point now) {
  if (length_ >= length_max_) return false;
  ModelQueue& queue = job->queue();
  job->rank_ = {order_ ? order_(*job) : 0, next_number_++};
  job->queued_at_ = now;
  job->phase_ = Job::Phase::kWaiting;
  ++length_;
  queue.waiting_count_.fetch_add(1, std::memory_order_relaxed);
  queue.discipline_->Enter(*job);
  if (job->sequence != nullptr) {
    const auto [sequence, first] = queue.sequences_.try_emplace(job->sequence);
    if (!first) {
      job->parked_ = true;
      sequence->second.emplace(job->rank_.number, job);
      return true;
    }
  }
  Insert(queue, job);
  return true;
}

bool RunQueue::Start(Job& job) {
  ModelQueue& queue = job.queue();
  if (!queue.waiting_.empty()) return false;
  if (job.sequence != nullptr && !queue.sequences_.try_emplace(job.sequence).second) return false;
  job.phase_ = Job::Phase::kRunning;
  return true;
}

ModelQueue* RunQueue::Find(SteadyClock::time_point now, const Limits& limits,
                           const MayRun& may_run) {
  not_before_ = SteadyClock::time_point::max();
  for (const auto& [rank, queue] : models_) {
    if (queue->runs_ >= RunsMax(*queue, limits)) continue;
    if (!may_run(*queue, *queue->waiting_.begin()->second)) continue;
    const SteadyClock::time_point begins = queue->discipline_->Begins(queue->waiting_, now);
    if (begins <= now) return queue;
    not_before_ = std::min(not_before_, begins);
  }
  return nullptr;
}

RunQueue::Taken RunQueue::Take(SteadyClock::time_point now, const Limits& limits,
                               const MayRun& may_run) {
  Taken taken{Find(now, limits, may_run), {}};
  if (taken.queue == nullptr) return taken;
  ModelQueue& queue = *taken.queue;
  const std::uint32_t free_runs = std::min(limits.free, RunsMax(queue, limits) - queue.runs_);
  ++queue.runs_;
  for (const Waiting::iterator job : queue.discipline_->Next(queue.waiting_, free_runs)) {
    taken.jobs.push_back(Extract(queue, job));
    Job& out = *taken.jobs.back();
    out.phase_ = Job::Phase::kRunning;
    out.queue_time_us_ = MicrosecondsBetween(out.queued_at_, now);
    Left(out);
  }
  return taken;
}

void RunQueue::Remove(Job& job) {
  MLOS_CHECK(job.phase_ == Job::Phase::kWaiting, "only a job that waits can be taken out");
  ModelQueue& queue = job.queue();
  Left(job);
  job.phase_ = Job::Phase::kOver;
  if (job.parked_) {
    queue.sequences_.at(job.sequence).erase(job.rank_.number);
    return;
  }
  Extract(queue, queue.waiting_.find(job.rank_));
  Release(job);
}

void RunQueue::Release(Job& job) {
  job.phase_ = Job::Phase::kOver;
  if (job.sequence == nullptr) return;
  ModelQueue& queue = job.queue();
  const auto sequence = queue.sequences_.find(job.sequence);
  if (sequence->second.empty()) {
    queue.sequences_.erase(sequence);
    return;
  }
  const auto next = sequence->second.begin();
  std::shared_ptr<Job> following = std::move(next->second);
  sequence->second.erase(next);
  following->parked_ = false;
  Insert(queue, std::move(following));
}

void RunQueue::Finish(ModelQueue& queue, std::int64_t items) {
  --queue.runs_;
  queue.discipline_->Over(items, queue.waiting_);
}

std::vector<std::shared_ptr<Job>> RunQueue::Clear(ModelQueue* queue) {
  std::vector<std::shared_ptr<Job>> cleared;
  // Releasing the first of a sequence brings the next one forward, until none is left; what waits
  // for a job that runs is taken out by itself.
  const auto clear = [&](ModelQueue& one) {
    for (auto& [key, parked] : one.sequences_) {
      for (const auto& [number, job] : parked) cleared.push_back(job);
    }
    for (const auto& [rank, job] : one.waiting_) cleared.push_back(job);
  };
  if (queue != nullptr) {
    clear(*queue);
  } else {
    for (const auto& [rank, one] : models_) clear(*one);
  }
  for (const std::shared_ptr<Job>& job : cleared) Remove(*job);
  return cleared;
}

void RunQueue::Insert(ModelQueue& queue, std::shared_ptr<Job> job) {
  const Rank rank = job->rank_;
  const bool first = queue.waiting_.empty() || rank < queue.waiting_.begin()->first;
  if (first && !queue.waiting_.empty()) models_.erase({queue.waiting_.begin()->first, &queue});
  queue.waiting_.emplace(rank, std::move(job));
  if (first) models_.emplace(rank, &queue);
}

std::shared_ptr<Job> RunQueue::Extract(ModelQueue& queue, Waiting::iterator job) {
  const bool first = job == queue.waiting_.begin();
  if (first) models_.erase({job->first, &queue});
  std::shared_ptr<Job> out = std::move(job->second);
  queue.waiting_.erase(job);
  if (first && !queue.waiting_.empty()) models_.emplace(queue.waiting_.begin()->first, &queue);
  return out;
}

void RunQueue::Left(Job& job) {
  --length_;
  job.queue().waiting_count_.fetch_sub(1, std::memory_order_relaxed);
}

}  // namespace mlos::scheduler
