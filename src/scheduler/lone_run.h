// SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>

#include "engine/engine.h"
#include "scheduler/job.h"

namespace mlos::scheduler {

/// Runs a job that shares its run with nobody on the calling thread, and answers it. `items` is how
/// many it counts for; see LoadedModel::Infer on `stop`.
void RunLone(engine::LoadedModel& model, Job& job, std::int64_t items, engine::Stop* stop);

}  // namespace mlos::scheduler
