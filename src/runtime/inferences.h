// SPDX-License-Identifier: MIT
#pragma once

#include <memory>

#include "catalog/served_model.h"
#include "engine/inference.h"
#include "metrics/stats.h"
#include "runtime/caller.h"
#include "runtime/response_sink.h"
#include "scheduler/scheduler.h"

namespace mlos::runtime {

/// Makes jobs of requests and hands them to the scheduler. Thread-safe.
class Inferences {
 public:
  /// Both must outlive it, and the requests.
  Inferences(scheduler::Scheduler& scheduler, metrics::Stats& stats)
      : scheduler_(scheduler), stats_(stats) {}

  /// Runs `request`, which satisfies the schema: see Ticket::Run and Ticket::Stream.
  void Infer(const Caller& caller, std::shared_ptr<catalog::ServedModel> model,
             engine::InferenceRequest request, Done done);
  void Stream(const Caller& caller, std::shared_ptr<catalog::ServedModel> model,
              engine::InferenceRequest request, std::shared_ptr<ResponseSink> sink);

 private:
  scheduler::Scheduler& scheduler_;
  metrics::Stats& stats_;
};

}  // namespace mlos::runtime
