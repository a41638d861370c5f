// SPDX-License-Identifier: MIT
#pragma once

#include <functional>
#include <memory>

#include "catalog/served_model.h"
#include "engine/inference.h"
#include "metrics/stats.h"
#include "runtime/ticket.h"
#include "scheduler/batcher.h"
#include "scheduler/scheduler.h"

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

/// One inference on its way through the scheduler: runs the model, counts what came of it, answers.
/// Holds the model, so that it outlives its removal.
class InferenceJob : public scheduler::MergeableJob {
 public:
  using Callback = std::function<void(Result<engine::InferenceResponse>)>;

  InferenceJob(std::shared_ptr<catalog::ServedModel> model, engine::InferenceRequest request,
               metrics::Stats& stats, Callback done);

  void Run(std::int64_t queue_time_us) override;
  void Refuse(Status why, std::int64_t queue_time_us) override;
  bool cancelled() const override { return request_.cancelled(); }
  const engine::InferenceRequest& request() const override { return request_; }
  void CountRun(std::int64_t items, std::int64_t run_time_us) override;
  void Answer(Result<engine::InferenceResponse> outcome, std::int64_t queue_time_us,
              std::int64_t run_time_us) override;

 private:
  /// `now` saves a look at the clock.
  void Answer(Result<engine::InferenceResponse> outcome, std::int64_t queue_time_us,
              std::int64_t run_time_us, SteadyClock::time_point now);

  const std::shared_ptr<catalog::ServedModel> model_;
  engine::InferenceRequest request_;
  const InFlight in_flight_;
  const Callback done_;
};

/// The same for a request that is answered with a stream.
class StreamJob : public scheduler::Job {
 public:
  StreamJob(std::shared_ptr<catalog::ServedModel> model, engine::InferenceRequest request,
            metrics::Stats& stats, std::shared_ptr<ResponseSink> sink);

  void Run(std::int64_t queue_time_us) override;
  void Refuse(Status why, std::int64_t queue_time_us) override;
  bool cancelled() const override { return request_.cancelled(); }
  bool is_long() const override { return true; }

 private:
  Status HandOn(engine::InferenceResponse response, std::int64_t queue_time_us);
  void End(Status outcome, std::int64_t queue_time_us, std::int64_t run_time_us);

  const std::shared_ptr<catalog::ServedModel> model_;
  engine::InferenceRequest request_;
  const InFlight in_flight_;
  const std::shared_ptr<ResponseSink> sink_;
};

}  // namespace mlos::runtime
