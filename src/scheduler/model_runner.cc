// SPDX-License-Identifier: MIT
#include "scheduler/model_runner.h"

#include <algorithm>
#include <utility>
#include <vector>

#include "scheduler/batching/batch_merge.h"
#include "scheduler/lone_run.h"

namespace mlos::scheduler {
namespace {

std::unique_ptr<Batcher> BatcherOf(const std::string& model_id, engine::LoadedModel& model,
                                   const std::optional<BatchOptions>& batching,
                                   resource::ByteBudget& budget) {
  if (!batching || !model.answers_in_place()) return nullptr;
  return std::make_unique<Batcher>(model_id, model, budget, *batching);
}

std::unique_ptr<Discipline> DisciplineOf(std::unique_ptr<Batcher> batcher,
                                         const engine::LoadedModel& model) {
  if (batcher != nullptr) return batcher;
  if (!model.answers_in_place()) return std::make_unique<AllReady>();
  return std::make_unique<OneByOne>();
}

// A model whose requests share runs needs no more of them side by side than its slots.
ModelQueueOptions OptionsOf(ModelQueueOptions options,
                            const std::optional<BatchOptions>& batching) {
  if (batching) options.runs_max = batching->slots;
  return options;
}

RequestJob& RequestOf(const std::shared_ptr<Job>& job) { return static_cast<RequestJob&>(*job); }

}  // namespace

ModelRunner::ModelRunner(const std::string& model_id, const ModelQueueOptions& options,
                         engine::LoadedModel& model, sequence::Sequences* sequences,
                         const std::optional<BatchOptions>& batching, resource::ByteBudget& budget)
    : ModelRunner(model_id, OptionsOf(options, batching), model, sequences,
                  BatcherOf(model_id, model, batching, budget)) {}

ModelRunner::ModelRunner(const std::string& model_id, const ModelQueueOptions& options,
                         engine::LoadedModel& model, sequence::Sequences* sequences,
                         std::unique_ptr<Batcher> batcher)
    : ModelQueue(model_id, options, DisciplineOf(std::move(batcher), model)),
      model_(model),
      sequences_(sequences),
      batcher_(dynamic_cast<Batcher*>(&discipline())) {}

std::int64_t ModelRunner::ItemsOf(const engine::InferenceRequest& request) const {
  const std::int64_t items = batcher_ != nullptr ? batching::BatchItems(request) : 0;
  return std::max<std::int64_t>(items, 1);
}

bool ModelRunner::Execute(std::span<const std::shared_ptr<Job>> jobs, engine::Stop* stop) {
  const RequestJob& first = RequestOf(jobs[0]);
  if (first.streams || !model_.answers_in_place()) {
    Submit(jobs);
    return true;
  }
  if (jobs.size() > 1) {
    batcher_->Run(jobs, stop);
  } else if (jobs[0]->StillWanted()) {
    first.entry.key() != nullptr ? RunStep(RequestOf(jobs[0]), stop)
                                 : RunLone(model_, *jobs[0], ItemsOf(jobs[0]->request()), stop);
  }
  return false;
}

void ModelRunner::RunStep(RequestJob& job, engine::Stop* stop) {
  std::int64_t run_time_us = 0;
  Result<engine::InferenceResponse> outcome =
      sequences_->Run(job.entry, job.request(), stop, run_time_us);
  if (outcome.ok()) {
    run_times().Record(run_time_us, job.input_bytes());
    job.CountRun(1, run_time_us);
  }
  // Before the answer: whoever sees it finds the sequence as it left it.
  job.entry.Leave();
  job.Answer(std::move(outcome), run_time_us);
}

void ModelRunner::Submit(std::span<const std::shared_ptr<Job>> jobs) {
  std::vector<engine::Run*> runs;
  runs.reserve(jobs.size());
  for (const std::shared_ptr<Job>& each : jobs) {
    RequestJob& job = RequestOf(each);
    bool wanted = job.StillWanted();
    if (wanted && job.entry.key() != nullptr) {
      Status goes_on = sequences_->CheckGoesOn(job.entry, *job.request().sequence);
      wanted = goes_on.ok();
      if (!wanted) job.Refuse(std::move(goes_on));
    }
    if (wanted) {
      runs.push_back(&job);
    } else {
      job.End(OkStatus());
    }
  }
  if (!runs.empty()) model_.Submit(runs);
}

}  // namespace mlos::scheduler
