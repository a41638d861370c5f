// SPDX-License-Identifier: MIT
#include "runtime/inference_job.h"

#include <utility>

#include "scheduler/batching/batch_merge.h"

namespace mlos::runtime {

using engine::InferenceRequest;
using engine::InferenceResponse;

ModelJob::ModelJob(std::shared_ptr<catalog::ServedModel> model, InferenceRequest request,
                   sequence::Sequences::Entry place, metrics::Stats& stats)
    : RequestJob(model->runner(), request.deadline, scheduler::batching::InputBytes(request)),
      model_(std::move(model)),
      request_(std::move(request)),
      in_flight_(stats) {
  entry = std::move(place);
  sequence = entry.key();
  if (sequence == nullptr && model_->runner().batches())
    // What is compared with its lone run must not change in between.
    items = request_.may_change ? 0 : scheduler::batching::BatchItems(request_);
}

bool ModelJob::CanShare(const scheduler::Job& other) const {
  return scheduler::batching::CanMerge(request_, other.request());
}

void ModelJob::CountRun(std::int64_t run_items, std::int64_t run_time_us) {
  model_->counts()->RecordRun(static_cast<std::uint64_t>(run_items), run_time_us);
}

void ModelJob::Count(const Status& outcome, std::int64_t run_time_us) {
  model_->counts()->Record(outcome, queue_time_us(), run_time_us);
}

Status ModelJob::Counts(Status outcome, SteadyClock::time_point now) const {
  if (!outcome.ok()) return outcome;
  MLOS_TRY(model_->CheckIntact());
  if (deadline() > now) return outcome;
  return {Reason::kDeadlineExceeded, "the deadline passed while the model ran"};
}

void ModelJob::LeaveSequence(bool answered) {
  if (entry.key() == nullptr) return;
  if (answered) model_->sequences()->GoneOn(entry, *request_.sequence);
  entry.Leave();
}

// ---- One answer ---------------------------------------------------------------------------------

void InferenceJob::OnAnswer(Result<InferenceResponse> outcome, std::int64_t run_time_us) {
  if (outcome.ok()) {
    Status counts = Counts(OkStatus(), SteadyClock::now());
    if (!counts.ok()) outcome = std::move(counts);
  }
  Count(outcome.status(), run_time_us);
  if (outcome.ok()) {
    outcome->queue_time_us = queue_time_us();
    outcome->inference_time_us = run_time_us;
    outcome->owner = model();
  }
  // Whoever encodes the answer may need the memory of the inputs.
  DropRequest();
  done_(std::move(outcome));
}

void InferenceJob::OnRefuse(Status why, bool ran) {
  Count(why, 0);
  if (!ran) {
    entry.Leave();
    DropRequest();
  }
  done_(std::move(why));
}

engine::Run::Taken InferenceJob::Respond(InferenceResponse response) {
  if (answered()) return Taken::kDrop;
  several_ = response_.has_value();
  if (several_) return Taken::kDrop;
  response_ = std::move(response);
  return Taken::kGoOn;
}

void InferenceJob::OnEnd(Status status) {
  if (several_) {
    status = Status(Reason::kUnimplemented,
                    "the model answers with a stream: ask for it through a streaming call");
  }
  const std::int64_t run_time_us = RunTimeSoFar() - queue_time_us();
  LeaveSequence(status.ok() && !answered());
  if (!status.ok()) return Answer(std::move(status), run_time_us);
  if (!answered()) CountRun(1, run_time_us);
  Answer(std::move(response_).value_or(InferenceResponse()), run_time_us);
}

// ---- A stream -----------------------------------------------------------------------------------

StreamJob::StreamJob(std::shared_ptr<catalog::ServedModel> model, InferenceRequest request,
                     sequence::Sequences::Entry place, metrics::Stats& stats,
                     std::shared_ptr<ResponseSink> sink)
    : ModelJob(std::move(model), std::move(request), std::move(place), stats),
      credit_(this->request().credit),
      sink_(std::move(sink)) {
  streams = true;
  may_run_inline = false;
  items = 0;
}

engine::Run::Taken StreamJob::Respond(InferenceResponse response) {
  Status outcome;
  {
    const MutexLock lock(mutex_);
    if (answered()) return Taken::kDrop;
    outcome = HandOn(std::move(response));
  }
  if (!outcome.ok()) {
    Abandon(std::move(outcome));
    return Taken::kDrop;
  }
  return credit_ == nullptr || credit_->has_room() ? Taken::kGoOn : Taken::kPause;
}

Status StreamJob::HandOn(InferenceResponse response) {
  MLOS_TRY(CheckTime());
  MLOS_TRY(model()->CheckIntact());
  response.queue_time_us = queue_time_us();
  response.owner = model();
  return sink_->OnResponse(std::move(response));
}

void StreamJob::OnEnd(Status status) {
  const std::int64_t run_time_us = RunTimeSoFar() - queue_time_us();
  LeaveSequence(status.ok() && !answered());
  if (!status.ok()) return Answer(std::move(status), run_time_us);
  if (!answered()) CountRun(1, run_time_us);
  Answer(InferenceResponse(), run_time_us);
}

void StreamJob::OnAnswer(Result<InferenceResponse> outcome, std::int64_t run_time_us) {
  DropRequest();
  Finish(Counts(outcome.status(), SteadyClock::now()), run_time_us);
}

void StreamJob::OnRefuse(Status why, bool ran) {
  if (!ran) {
    entry.Leave();
    DropRequest();
  }
  Finish(std::move(why), 0);
}

void StreamJob::Finish(Status outcome, std::int64_t run_time_us) {
  Count(outcome, run_time_us);
  const MutexLock lock(mutex_);
  std::exchange(sink_, nullptr)->OnEnd(std::move(outcome));
}

}  // namespace mlos::runtime
