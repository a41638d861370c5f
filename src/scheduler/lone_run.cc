// SPDX-License-Identifier: MIT
#include "scheduler/lone_run.h"

#include <utility>

#include "base/clock.h"
#include "scheduler/model_queue.h"

namespace mlos::scheduler {

void RunLone(engine::LoadedModel& model, Job& job, std::int64_t items, engine::Stop* stop) {
  const SteadyClock::time_point start = SteadyClock::now();
  Result<engine::InferenceResponse> outcome = model.Infer(job.request(), stop);
  const std::int64_t run_time_us = MicrosecondsBetween(start, SteadyClock::now());
  if (outcome.ok()) {
    job.queue().run_times().Record(run_time_us, job.input_bytes());
    job.CountRun(items, run_time_us);
  }
  job.Answer(std::move(outcome), run_time_us);
}

}  // namespace mlos::scheduler
