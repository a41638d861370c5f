// SPDX-License-Identifier: MIT
#include "onnx/stoppable.h"

#include <atomic>
#include <utility>

namespace mlos::onnx {
namespace {

const std::uint32_t* CancelledOf(const smi_request_t& request) {
  return SMI_HAS(smi_request_t, &request, cancelled) ? request.cancelled : nullptr;
}

}  // namespace

Ort::RunOptions MakeRunOptions() {
  Ort::RunOptions options;
  // What fails here is reported to the caller, whose data it is; it must not fill the log.
  options.SetRunLogSeverityLevel(ORT_LOGGING_LEVEL_FATAL);
  return options;
}

const Ort::RunOptions& StoppableRuns::Begin(std::uint64_t request_id) {
  const std::lock_guard lock(mutex_);
  Ort::RunOptions options{nullptr};
  if (idle_.empty()) {
    options = MakeRunOptions();
  } else {
    options = std::move(idle_.back());
    idle_.pop_back();
  }
  return running_.insert_or_assign(request_id, std::move(options)).first->second;
}

void StoppableRuns::End(std::uint64_t request_id) {
  const std::lock_guard lock(mutex_);
  auto run = running_.extract(request_id);
  if (idle_.size() == kIdleMax) return;
  run.mapped().UnsetTerminate();
  idle_.push_back(std::move(run.mapped()));
}

void StoppableRuns::Stop(std::uint64_t request_id) {
  const std::lock_guard lock(mutex_);
  if (const auto run = running_.find(request_id); run != running_.end()) {
    run->second.SetTerminate();
  }
}

RunOptionsLease::RunOptionsLease(const Ort::RunOptions& shared, StoppableRuns& runs,
                                 const smi_request_t& request)
    : runs_(runs),
      request_id_(request.request_id),
      cancelled_(CancelledOf(request)),
      options_(cancelled_ != nullptr ? &runs.Begin(request_id_) : &shared) {
  // It may have been set before Stop could find the run.
  if (cancelled()) runs_.Stop(request_id_);
}

RunOptionsLease::~RunOptionsLease() {
  if (cancelled_ != nullptr) runs_.End(request_id_);
}

bool RunOptionsLease::cancelled() const {
  return cancelled_ != nullptr &&
         std::atomic_ref(const_cast<std::uint32_t&>(*cancelled_)).load(std::memory_order_acquire) !=
             0;
}

}  // namespace mlos::onnx
