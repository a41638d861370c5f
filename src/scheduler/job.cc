// SPDX-License-Identifier: MIT
#include "scheduler/job.h"

#include <string>
#include <utility>

namespace mlos::scheduler {

Status Overload(std::uint32_t queue_length_max) {
  return {Reason::kOverloaded,
          std::to_string(queue_length_max) + " requests wait already; try again later"};
}

Status Job::CheckTime() const {
  if (request().cancelled()) return {Reason::kCancelled, "the caller cancelled the request"};
  if (deadline_ != kNoDeadline && deadline_ <= SteadyClock::now()) {
    return {Reason::kDeadlineExceeded, "the deadline passed before the request could be run"};
  }
  return OkStatus();
}

bool Job::StillWanted() {
  if (answered()) return false;
  Status wanted = CheckTime();
  if (wanted.ok()) return true;
  Refuse(std::move(wanted));
  return false;
}

void Job::Answer(Result<engine::InferenceResponse> outcome, std::int64_t run_time_us) {
  if (Claim()) OnAnswer(std::move(outcome), run_time_us);
}

void Job::Refuse(Status why) {
  if (Claim()) OnRefuse(std::move(why), false);
}

void Job::Abandon(Status why) {
  if (!Claim()) return;
  OnRefuse(std::move(why), true);
  owner_->Abandoned(*this);
}

void Job::End(Status status) {
  // The scheduler lets go of the job.
  const std::shared_ptr<Job> self = shared_from_this();
  OnEnd(std::move(status));
  owner_->Close(*self);
}

}  // namespace mlos::scheduler
