// SPDX-License-Identifier: MIT
// The queue in simulated time: seeded arrivals, deadlines, cancellations and durations. A schedule
// that fails prints its seed; MLOS_SCHEDULE_SEED=… runs that one alone.
#include "scheduler/run_queue.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <cstdlib>
#include <memory>
#include <optional>
#include <random>
#include <string>
#include <thread>
#include <vector>

namespace mlos::scheduler {
namespace {

using std::chrono::microseconds;
using TimePoint = SteadyClock::time_point;

/// A request of a schedule, and what became of it.
class SimulatedJob : public Job {
 public:
  SimulatedJob(ModelQueue& queue, Deadline deadline) : Job(queue, deadline, 0) {}

  const engine::InferenceRequest& request() const override {
    static const engine::InferenceRequest request;
    return request;
  }
  bool CanShare(const Job& other) const override {
    return shape == static_cast<const SimulatedJob&>(other).shape;
  }
  void CountRun(std::int64_t /*items*/, std::int64_t /*run_time_us*/) override {}
  Taken Respond(engine::InferenceResponse /*response*/) override { return Taken::kDrop; }

  TimePoint arrives;
  std::optional<TimePoint> cancelled_at;
  std::uint32_t group = 0;
  int shape = 0;
  int number = 0;  ///< in its schedule
  bool waits = false;
  bool ran = false;
  int answers = 0;

 protected:
  void OnAnswer(Result<engine::InferenceResponse> /*outcome*/,
                std::int64_t /*run_time_us*/) override {
    ++answers;
  }
  void OnEnd(Status /*status*/) override {}
  void OnRefuse(Status /*why*/, bool /*ran*/) override { ++answers; }
};

SimulatedJob& Of(const std::shared_ptr<Job>& job) { return static_cast<SimulatedJob&>(*job); }

/// Shares runs of up to four items, fewer if others could begin, and puts some of them off.
class SimulatedBatching : public Discipline {
 public:
  TimePoint Begins(const Waiting& waiting, TimePoint now) override {
    if (waiting.size() < 2 && put_off_until == TimePoint()) put_off_until = now + microseconds(3);
    return std::max(now, put_off_until);
  }
  Choice Next(Waiting& waiting, std::uint32_t free_runs) override {
    put_off_until = {};
    Choice choice{waiting.begin()};
    const Job& first = *waiting.begin()->second;
    if (first.items == 0) return choice;
    for (auto next = std::next(waiting.begin()); next != waiting.end(); ++next) {
      if (choice.size() * free_runs >= 4) break;
      if (next->second->items > 0 && first.CanShare(*next->second)) choice.push_back(next);
    }
    return choice;
  }

  TimePoint put_off_until;
};

class SimulatedModel : public ModelQueue {
 public:
  SimulatedModel(std::uint32_t runs_max, std::unique_ptr<Discipline> discipline)
      : ModelQueue("m", {.runs_max = runs_max}, std::move(discipline)) {}
  bool Execute(std::span<const std::shared_ptr<Job>> /*jobs*/, engine::Stop* /*stop*/) override {
    return false;
  }

  std::uint32_t runs = 0;
  bool puts_off = false;
};

/// One schedule from its seed. `fault` is empty if every invariant held.
class Simulation {
 public:
  explicit Simulation(std::uint64_t seed)
      : random_(static_cast<std::uint32_t>(seed ^ (seed >> 32U))),
        threads_(Below(3) + 1),
        queue_(Below(4) == 0 ? 4 : 1000, Below(2) == 0 ? RunQueue::Order() : ByGroup()) {}

  std::string Run() {
    MakeModels();
    MakeJobs();
    while (fault_.empty() && Step()) {
    }
    for (const auto& job : jobs_) {
      if (fault_.empty() && job->answers != 1) {
        Fail("job " + std::to_string(job->number) + " was answered " +
             std::to_string(job->answers) + " times");
      }
    }
    if (fault_.empty() && (queue_.length() != 0 || queue_.has_ready())) Fail("something is left");
    return fault_;
  }

 private:
  struct Active {
    RunQueue::Taken taken;
    TimePoint ends;
  };

  static RunQueue::Order ByGroup() {
    return [](const Job& job) { return static_cast<const SimulatedJob&>(job).group; };
  }

  std::uint32_t Below(std::uint32_t bound) { return static_cast<std::uint32_t>(random_() % bound); }
  void Fail(std::string what) {
    if (fault_.empty()) fault_ = std::move(what);
  }

  void MakeModels() {
    const std::uint32_t count = Below(4) + 1;
    for (std::uint32_t i = 0; i < count; ++i) {
      std::unique_ptr<Discipline> discipline;
      const std::uint32_t kind = Below(3);
      if (kind == 0) discipline = std::make_unique<OneByOne>();
      if (kind == 1) discipline = std::make_unique<AllReady>();
      if (kind == 2) discipline = std::make_unique<SimulatedBatching>();
      models_.push_back(std::make_unique<SimulatedModel>(Below(3), std::move(discipline)));
      models_.back()->puts_off = kind == 2;
    }
  }

  void MakeJobs() {
    const std::uint32_t count = Below(20) + 4;
    TimePoint at = TimePoint(microseconds(1));
    for (std::uint32_t i = 0; i < count; ++i) {
      at += microseconds(Below(6));
      const Deadline deadline = Below(3) == 0 ? at + microseconds(Below(30)) : kNoDeadline;
      auto job = std::make_shared<SimulatedJob>(*models_[Below(models_.size())], deadline);
      job->number = static_cast<int>(i);
      job->arrives = at;
      if (Below(5) == 0) job->cancelled_at = at + microseconds(Below(30));
      if (Below(2) == 0) job->sequence = &sequence_keys_[Below(sequence_keys_.size())];
      if (job->sequence == nullptr) job->items = Below(3) == 0 ? 0 : 1;
      job->shape = static_cast<int>(Below(2));
      job->group = Below(2);
      jobs_.push_back(std::move(job));
    }
  }

  /// Moves on to the next moment at which something happens. False at the end.
  bool Step() {
    TimePoint next = queue_.not_before();
    if (next <= now_) next = TimePoint::max();
    const auto consider = [&](TimePoint at) {
      if (at > now_) next = std::min(next, at);
    };
    for (const auto& job : jobs_) {
      consider(job->arrives);
      if (job->answers > 0) continue;
      if (job->deadline() != kNoDeadline) consider(job->deadline());
      if (job->cancelled_at) consider(*job->cancelled_at);
    }
    for (const Active& run : active_) consider(run.ends);
    if (next == TimePoint::max()) return false;
    now_ = next;
    EndRuns();
    Arrive();
    Sweep();
    while (fault_.empty() && active_.size() < threads_ && Take()) {
    }
    return true;
  }

  void EndRuns() {
    std::vector<Active> ended;
    for (auto run = active_.begin(); run != active_.end();) {
      if (run->ends > now_) {
        ++run;
        continue;
      }
      ended.push_back(std::move(*run));
      run = active_.erase(run);
    }
    for (const Active& run : ended) {
      --static_cast<SimulatedModel*>(run.taken.queue)->runs;
      queue_.Finish(*run.taken.queue, run.taken.items());
      for (const std::shared_ptr<Job>& job : run.taken.jobs) {
        queue_.Release(*job);
        job->Answer(engine::InferenceResponse(), 1);
      }
    }
  }

  void Arrive() {
    for (; arrived_ < jobs_.size() && jobs_[arrived_]->arrives <= now_; ++arrived_) {
      const auto& job = jobs_[arrived_];
      job->waits = queue_.Push(job, now_);
      if (!job->waits) job->Refuse(Overload(queue_.length_max()));
    }
  }

  // What the scheduler's timer does.
  void Sweep() {
    for (const auto& job : jobs_) {
      if (job->answers > 0 || job->arrives > now_ || !IsOver(*job)) continue;
      if (job->waits) {
        queue_.Remove(*job);
        job->waits = false;
      }
      job->Refuse(Status(Reason::kDeadlineExceeded, "its time is over"));
    }
  }
  bool IsOver(const SimulatedJob& job) const {
    return job.deadline() <= now_ || (job.cancelled_at && *job.cancelled_at <= now_);
  }

  bool Take() {
    const auto running = static_cast<std::uint32_t>(active_.size());
    const RunQueue::Limits limits{threads_, threads_ - running};
    RunQueue::Taken taken =
        queue_.Take(now_, limits, [](const ModelQueue&, const Job&) { return true; });
    if (taken.queue == nullptr) {
      if (HasRunnable()) Fail("a request that could run was not taken");
      return false;
    }
    auto& model = static_cast<SimulatedModel&>(*taken.queue);
    ++model.runs;
    const std::uint32_t runs_max = model.options().runs_max;
    if (model.runs > (runs_max != 0 ? runs_max : threads_))
      Fail("more runs than the model may have");
    CheckTaken(taken);
    for (const std::shared_ptr<Job>& job : taken.jobs) {
      Of(job).waits = false;
      Of(job).ran = true;
    }
    active_.push_back({std::move(taken), now_ + microseconds(Below(12) + 1)});
    return true;
  }

  /// Whether some job waits that nothing keeps from running.
  bool HasRunnable() const {
    return std::ranges::any_of(jobs_, [this](const auto& job) { return IsRunnable(*job); });
  }
  bool IsRunnable(const SimulatedJob& job) const {
    if (!job.waits || BehindInSequence(job)) return false;
    const auto& model = static_cast<const SimulatedModel&>(job.queue());
    const std::uint32_t runs_max = model.options().runs_max;
    return !model.puts_off && model.runs < (runs_max != 0 ? runs_max : threads_);
  }
  bool BehindInSequence(const SimulatedJob& job) const {
    if (job.sequence == nullptr) return false;
    const auto same = [&](const Job& other) {
      return &other.queue() == &job.queue() && other.sequence == job.sequence;
    };
    const bool waits_behind = std::ranges::any_of(jobs_, [&](const auto& other) {
      return other->waits && same(*other) && Before(*other, job);
    });
    return waits_behind || std::ranges::any_of(active_, [&](const Active& run) {
             return std::ranges::any_of(run.taken.jobs, [&](const auto& o) { return same(*o); });
           });
  }
  /// In the order of arrival: `jobs_` is sorted by it.
  static bool Before(const SimulatedJob& a, const SimulatedJob& b) { return a.number < b.number; }

  void CheckTaken(const RunQueue::Taken& taken) {
    const SimulatedJob& first = Of(taken.jobs.front());
    const bool shares =
        taken.jobs.size() > 1 && static_cast<const SimulatedModel*>(taken.queue)->puts_off;
    for (const std::shared_ptr<Job>& shared : taken.jobs) {
      const SimulatedJob& job = Of(shared);
      if (!job.waits) Fail("a job that does not wait was taken");
      if (job.answers > 0 || IsOver(job)) Fail("a job whose time was over was taken");
      if (&job.queue() != taken.queue) Fail("a job of another model was taken");
      if (shares && (job.items == 0 || job.shape != first.shape)) {
        Fail("a job shares a run that it does not fit");
      }
      if (BehindInSequence(job)) Fail("a job overtook one of its sequence");
    }
    for (std::size_t i = 1; i < taken.jobs.size(); ++i) {
      for (std::size_t j = 0; j < i; ++j) {
        const void* key = taken.jobs[i]->sequence;
        if (key != nullptr && key == taken.jobs[j]->sequence) Fail("a sequence shares a run");
      }
    }
    CheckOrder(first);
  }

  /// Nobody who could have run was passed over for somebody behind.
  void CheckOrder(const SimulatedJob& taken) {
    for (const auto& job : jobs_) {
      if (!Before(*job, taken) || job->group > taken.group) continue;
      if (&job->queue() != &taken.queue() && IsRunnable(*job))
        Fail("an older request was passed over");
    }
  }

  std::mt19937 random_;
  const std::uint32_t threads_;
  RunQueue queue_;
  TimePoint now_;
  std::vector<std::unique_ptr<SimulatedModel>> models_;
  std::array<char, 3> sequence_keys_{};
  std::vector<std::shared_ptr<SimulatedJob>> jobs_;
  std::size_t arrived_ = 0;
  std::vector<Active> active_;
  std::string fault_;
};

std::uint64_t FromEnvironment(const char* name, std::uint64_t otherwise) {
  const char* text = std::getenv(name);
  return text == nullptr ? otherwise : std::strtoull(text, nullptr, 10);
}

TEST(RunQueue, EveryScheduleKeepsItsPromises) {
  const std::uint64_t only = FromEnvironment("MLOS_SCHEDULE_SEED", 0);
  if (only != 0) {
    EXPECT_EQ(Simulation(only).Run(), "") << "seed " << only;
    return;
  }
  const std::uint64_t schedules = FromEnvironment("MLOS_SCHEDULES", 100'000);
  const std::uint64_t workers = std::max(1U, std::thread::hardware_concurrency());
  std::vector<std::string> faults(workers);
  std::vector<std::thread> threads;
  for (std::uint64_t worker = 0; worker < workers; ++worker) {
    threads.emplace_back([&, worker] {
      for (std::uint64_t seed = worker + 1; seed <= schedules; seed += workers) {
        const std::string fault = Simulation(seed).Run();
        if (fault.empty()) continue;
        faults[worker] = "MLOS_SCHEDULE_SEED=" + std::to_string(seed) + ": " + fault;
        return;
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  for (const std::string& fault : faults) EXPECT_EQ(fault, "");
}

}  // namespace
}  // namespace mlos::scheduler
