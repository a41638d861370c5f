// SPDX-License-Identifier: MIT
#include "runtime/inference_job.h"

#include <utility>

#include "scheduler/batch_merge.h"

namespace mlos::runtime {
namespace {

/// What a response needs beside its own tensors: whatever the engine asked to be kept, and the
/// model, which goes last.
std::shared_ptr<const void> Lease(std::shared_ptr<catalog::ServedModel> model,
                                  std::shared_ptr<const void> engines) {
  if (engines == nullptr) return model;
  using Held = std::pair<std::shared_ptr<catalog::ServedModel>, std::shared_ptr<const void>>;
  return std::make_shared<const Held>(std::move(model), std::move(engines));
}

}  // namespace

InferenceJob::InferenceJob(std::shared_ptr<catalog::ServedModel> model,
                           engine::InferenceRequest request, metrics::Stats& stats, Callback done)
    : MergeableJob(model->lane(), request.deadline, scheduler::InputBytes(request)),
      model_(std::move(model)),
      request_(std::move(request)),
      stats_(stats),
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
  Answer(std::move(outcome), queue_time_us, run_time_us);
}

void InferenceJob::Refuse(Status why, std::int64_t queue_time_us) {
  Answer(std::move(why), queue_time_us, 0);
}

void InferenceJob::CountRun(std::int64_t items, std::int64_t run_time_us) {
  stats_.RecordRun(model_->model_id(), static_cast<std::uint64_t>(items), run_time_us);
}

void InferenceJob::Answer(Result<engine::InferenceResponse> outcome, std::int64_t queue_time_us,
                          std::int64_t run_time_us) {
  if (outcome.ok() && request_.deadline != kNoDeadline && request_.deadline <= SteadyClock::now()) {
    outcome = Status(Reason::kDeadlineExceeded, "the deadline passed while the model ran");
  }
  stats_.RecordInference(model_->model_id(), model_->plugin_id(), outcome.status(), queue_time_us,
                         run_time_us);
  if (outcome.ok()) {
    outcome->queue_time_us = queue_time_us;
    outcome->inference_time_us = run_time_us;
    outcome->keepalive = Lease(model_, std::move(outcome->keepalive));
  }
  // The inputs are not needed any more, and whoever encodes the answer may need their memory.
  request_ = {};
  done_(std::move(outcome));
}

StreamJob::StreamJob(std::shared_ptr<catalog::ServedModel> model, engine::InferenceRequest request,
                     metrics::Stats& stats, ResponseCallback on_response, EndCallback on_end)
    : Job(model->lane(), request.deadline),
      model_(std::move(model)),
      request_(std::move(request)),
      stats_(stats),
      on_response_(std::move(on_response)),
      on_end_(std::move(on_end)) {}

void StreamJob::Run(std::int64_t queue_time_us) {
  const SteadyClock::time_point start = SteadyClock::now();
  Status outcome = model_->loaded().Stream(request_, [&](engine::InferenceResponse response) {
    return HandOn(std::move(response), queue_time_us);
  });
  const std::int64_t run_time_us = MicrosecondsBetween(start, SteadyClock::now());
  if (outcome.ok()) stats_.RecordRun(model_->model_id(), 1, run_time_us);
  End(std::move(outcome), queue_time_us, run_time_us);
}

Status StreamJob::HandOn(engine::InferenceResponse response, std::int64_t queue_time_us) {
  if (request_.cancelled()) return {Reason::kCancelled, "the caller cancelled the request"};
  if (request_.deadline <= SteadyClock::now()) {
    return {Reason::kDeadlineExceeded, "the deadline passed while the model ran"};
  }
  response.queue_time_us = queue_time_us;
  response.keepalive = Lease(model_, std::move(response.keepalive));
  on_response_(std::move(response));
  return OkStatus();
}

void StreamJob::Refuse(Status why, std::int64_t queue_time_us) {
  End(std::move(why), queue_time_us, 0);
}

void StreamJob::End(Status outcome, std::int64_t queue_time_us, std::int64_t run_time_us) {
  stats_.RecordInference(model_->model_id(), model_->plugin_id(), outcome, queue_time_us,
                         run_time_us);
  request_ = {};
  on_end_(std::move(outcome));
}

}  // namespace mlos::runtime
