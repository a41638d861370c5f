// SPDX-License-Identifier: MIT
#pragma once

#include <memory>
#include <optional>
#include <utility>

#include "catalog/served_model.h"
#include "engine/inference.h"
#include "metrics/stats.h"
#include "runtime/response_sink.h"
#include "scheduler/model_runner.h"

namespace mlos::runtime {

/// Counts a request as in flight while it lives.
class InFlight {
 public:
  explicit InFlight(metrics::Stats& stats) : stats_(stats) { stats_.EnterInference(); }
  InFlight(const InFlight&) = delete;
  InFlight& operator=(const InFlight&) = delete;
  ~InFlight() { stats_.LeaveInference(); }

 private:
  metrics::Stats& stats_;
};

/// A request to a model on its way through the scheduler: what it asks, and what is counted of it.
/// Holds the model, so that it outlives its removal.
class ModelJob : public scheduler::RequestJob {
 public:
  ModelJob(std::shared_ptr<catalog::ServedModel> model, engine::InferenceRequest request,
           sequence::Sequences::Entry place, metrics::Stats& stats);

  const engine::InferenceRequest& request() const override { return request_; }
  void WillFail(const Status& status) override { Abandon(status); }
  bool CanShare(const scheduler::Job& other) const override;
  void CountRun(std::int64_t items, std::int64_t run_time_us) override;

 protected:
  /// Counts what became of the request.
  void Count(const Status& outcome, std::int64_t run_time_us);
  /// What the caller waits for is decided: a response that came too late is none, nor is one that
  /// was computed from files that could not be read.
  Status Counts(Status outcome, SteadyClock::time_point now) const;
  /// The sequence goes on from here, if the engine keeps its state and has answered.
  void LeaveSequence(bool answered);
  /// Lets go of the request, of which nobody reads any more.
  void DropRequest() { request_ = {}; }
  const std::shared_ptr<catalog::ServedModel>& model() const { return model_; }
  /// The time since the engine took it on.
  std::int64_t RunTimeSoFar() const { return MicrosecondsBetween(submitted_at_, Now()); }

 private:
  static SteadyClock::time_point Now() { return SteadyClock::now(); }

  const std::shared_ptr<catalog::ServedModel> model_;
  engine::InferenceRequest request_;
  const InFlight in_flight_;
  const SteadyClock::time_point submitted_at_ = SteadyClock::now();
};

/// A request with one answer.
class InferenceJob : public ModelJob {
 public:
  InferenceJob(std::shared_ptr<catalog::ServedModel> model, engine::InferenceRequest request,
               sequence::Sequences::Entry place, metrics::Stats& stats, Done done)
      : ModelJob(std::move(model), std::move(request), std::move(place), stats),
        done_(std::move(done)) {}

  Taken Respond(engine::InferenceResponse response) override;

 protected:
  void OnAnswer(Result<engine::InferenceResponse> outcome, std::int64_t run_time_us) override;
  void OnRefuse(Status why, bool ran) override;
  void OnEnd(Status status) override;

 private:
  const Done done_;
  /// The response of an engine that answers later, until it ends the run.
  std::optional<engine::InferenceResponse> response_;
  bool several_ = false;
};

/// A request that is answered with a stream. Its end is the answer, in the sense of Job.
class StreamJob : public ModelJob {
 public:
  StreamJob(std::shared_ptr<catalog::ServedModel> model, engine::InferenceRequest request,
            sequence::Sequences::Entry place, metrics::Stats& stats,
            std::shared_ptr<ResponseSink> sink);

  Taken Respond(engine::InferenceResponse response) override;

 protected:
  void OnAnswer(Result<engine::InferenceResponse> outcome, std::int64_t run_time_us) override;
  void OnRefuse(Status why, bool ran) override;
  void OnEnd(Status status) override;

 private:
  Status HandOn(engine::InferenceResponse response) REQUIRES(mutex_);
  void Finish(Status outcome, std::int64_t run_time_us);

  const std::shared_ptr<engine::Credit> credit_;
  /// Held while the sink is called, so that its calls come one at a time and its end comes last.
  Mutex mutex_;
  std::shared_ptr<ResponseSink> sink_ GUARDED_BY(mutex_);
};

}  // namespace mlos::runtime
