// SPDX-License-Identifier: MIT
#include "runtime/inference_job.h"

#include <utility>

#include "scheduler/batch_merge.h"

namespace mlos::runtime {

InferenceJob::InferenceJob(std::shared_ptr<catalog::ServedModel> model,
                           engine::InferenceRequest request, metrics::Stats& stats, Callback done)
    : MergeableJob(model->lane(), request.deadline, scheduler::InputBytes(request)),
      model_(std::move(model)),
      request_(std::move(request)),
      in_flight_(stats),
      done_(std::move(done)) {}

void InferenceJob::Run(std::int64_t queue_time_us) {
  const SteadyClock::time_point start = SteadyClock::now();
  Result<engine::InferenceResponse> outcome = model_->loaded().Infer(request_);
  const SteadyClock::time_point end = SteadyClock::now();
  const std::int64_t run_time_us = MicrosecondsBetween(start, end);
  if (outcome.ok()) {
    lane().RecordRunTime(run_time_us, input_bytes());
    CountRun(model_->ItemsOf(request_), run_time_us);
  }
  Answer(std::move(outcome), queue_time_us, run_time_us, end);
}

void InferenceJob::Refuse(Status why, std::int64_t queue_time_us) {
  Answer(std::move(why), queue_time_us, 0);
}

void InferenceJob::CountRun(std::int64_t items, std::int64_t run_time_us) {
  model_->counts()->RecordRun(static_cast<std::uint64_t>(items), run_time_us);
}

void InferenceJob::Answer(Result<engine::InferenceResponse> outcome, std::int64_t queue_time_us,
                          std::int64_t run_time_us) {
  Answer(std::move(outcome), queue_time_us, run_time_us, SteadyClock::now());
}

void InferenceJob::Answer(Result<engine::InferenceResponse> outcome, std::int64_t queue_time_us,
                          std::int64_t run_time_us, SteadyClock::time_point now) {
  if (outcome.ok() && request_.deadline <= now) {
    outcome = Status(Reason::kDeadlineExceeded, "the deadline passed while the model ran");
  }
  model_->counts()->Record(outcome.status(), queue_time_us, run_time_us);
  if (outcome.ok()) {
    outcome->queue_time_us = queue_time_us;
    outcome->inference_time_us = run_time_us;
    outcome->owner = model_;
  }
  // The inputs are not needed any more, and whoever encodes the answer may need their memory.
  request_ = {};
  done_(std::move(outcome));
}

StreamJob::StreamJob(std::shared_ptr<catalog::ServedModel> model, engine::InferenceRequest request,
                     metrics::Stats& stats, std::shared_ptr<ResponseSink> sink)
    : Job(model->lane(), request.deadline),
      model_(std::move(model)),
      request_(std::move(request)),
      in_flight_(stats),
      sink_(std::move(sink)) {}

void StreamJob::Run(std::int64_t queue_time_us) {
  const SteadyClock::time_point start = SteadyClock::now();
  Status outcome = model_->loaded().Stream(request_, [&](engine::InferenceResponse response) {
    return HandOn(std::move(response), queue_time_us);
  });
  const std::int64_t run_time_us = MicrosecondsBetween(start, SteadyClock::now());
  if (outcome.ok()) model_->counts()->RecordRun(1, run_time_us);
  End(std::move(outcome), queue_time_us, run_time_us);
}

Status StreamJob::HandOn(engine::InferenceResponse response, std::int64_t queue_time_us) {
  if (request_.cancelled()) return {Reason::kCancelled, "the caller cancelled the request"};
  if (request_.deadline <= SteadyClock::now()) {
    return {Reason::kDeadlineExceeded, "the deadline passed while the model ran"};
  }
  response.queue_time_us = queue_time_us;
  response.owner = model_;
  return sink_->OnResponse(std::move(response));
}

void StreamJob::Refuse(Status why, std::int64_t queue_time_us) {
  End(std::move(why), queue_time_us, 0);
}

void StreamJob::End(Status outcome, std::int64_t queue_time_us, std::int64_t run_time_us) {
  model_->counts()->Record(outcome, queue_time_us, run_time_us);
  request_ = {};
  sink_->OnEnd(std::move(outcome));
}

}  // namespace mlos::runtime
