// SPDX-License-Identifier: MIT
#include "plugin/execution.h"

#include <utility>

#include "plugin/call_error.h"
#include "plugin/smi_tensor.h"

namespace {

using mlos::Reason;
using mlos::Result;
using mlos::Status;
using mlos::engine::Run;
using mlos::plugin::CallError;
using mlos::plugin::Control;
using mlos::tensor::NamedTensor;

Result<NamedTensor> AdoptNamed(const smi_tensor_t& output) {
  mlos::tensor::Tensor tensor = MLOS_TRY(mlos::plugin::Adopt(output));
  return NamedTensor{MLOS_TRY(mlos::plugin::TensorName(output.name)), std::move(tensor)};
}

// All of them, so that all are released, whatever is wrong with one.
Result<std::vector<NamedTensor>> AdoptAll(std::span<const smi_tensor_t> outputs) {
  std::vector<NamedTensor> adopted;
  adopted.reserve(outputs.size());
  Status first;
  for (const smi_tensor_t& output : outputs) {
    Result<NamedTensor> tensor = AdoptNamed(output);
    if (tensor.ok()) {
      adopted.push_back(std::move(tensor).value());
    } else if (first.ok()) {
      first = std::move(tensor).status();
    }
  }
  MLOS_TRY(std::move(first));
  return adopted;
}

}  // namespace

std::shared_ptr<smi_execution> smi_execution::Open(
    std::shared_ptr<const mlos::plugin::ExecutedModel> model, Run& run) {
  std::shared_ptr<smi_execution> execution(new smi_execution(std::move(model), run));
  {
    const mlos::MutexLock lock(execution->mutex_);
    execution->self_ = execution;
  }
  execution->Watch(run);
  return execution;
}

smi_execution::smi_execution(std::shared_ptr<const mlos::plugin::ExecutedModel> model, Run& run)
    : model_(std::move(model)), view_(run.request(), run.stop().word()), run_(&run) {}

smi_execute_request_t smi_execution::ToSmi() {
  smi_execute_request_t smi{};
  smi.struct_size = sizeof(smi);
  smi.execution = this;
  smi.model = model_->handle();
  smi.request = view_.smi();
  smi.sequence_id = view_.sequence_number();
  smi.sequence_flags = view_.smi()->sequence_flags;
  return smi;
}

Control::Target smi_execution::target() const {
  return {model_.get(), model_->handle(), view_.smi()->request_id};
}

// The watchers outlive no run: Close forgets them.
void smi_execution::Watch(Run& run) {
  Control* control = model_->control();
  if (control == nullptr) return;
  if (control->cancels()) run.stop().Watch([this, control] { control->Cancel(target()); });
  if (run.request().credit == nullptr || !control->resumes()) return;
  run.request().credit->Watch(this, [this, control] {
    if (waits_.exchange(false)) control->Resume(target());
  });
}

smi_status_t smi_execution::Respond(int smi_status, std::span<const smi_tensor_t> outputs,
                                    bool final) {
  Status failure;
  if (smi_status != SMI_SUCCESS) {
    // What it said before the request was there is another's.
    CallError::ClearBefore(opened_);
    failure = model_->InferenceFailure(smi_status);
  }
  // What the thread has said belongs to this response, and to no later one of another request.
  CallError::Clear();
  Result<Outputs> adopted = AdoptAll(outputs);
  std::shared_ptr<smi_execution> self;
  Run* run = nullptr;
  Status outcome;
  {
    const mlos::MutexLock lock(mutex_);
    if (run_ == nullptr) return SMI_ERROR_INVALID_PARAM;
    if (outcome_.ok()) outcome_ = std::move(failure);
    if (!outputs.empty() && Wanted()) Deliver(std::move(adopted));
    if (!final) return HowToGoOn();
    outcome = outcome_;
    run = Leave(&self);
  }
  Close(std::move(self), *run, std::move(outcome));
  return SMI_SUCCESS;
}

bool smi_execution::ended() {
  const mlos::MutexLock lock(mutex_);
  return run_ == nullptr;
}

void smi_execution::Fail(const Status& status) {
  std::shared_ptr<smi_execution> self;
  Run* run = nullptr;
  {
    const mlos::MutexLock lock(mutex_);
    run = Leave(&self);
  }
  if (run != nullptr) Close(std::move(self), *run, status);
}

bool smi_execution::Wanted() { return outcome_.ok() && !dropped_; }

void smi_execution::Deliver(Result<Outputs> outputs) {
  if (run_->stop().requested()) {
    outcome_ = Status(Reason::kCancelled, "the run was stopped");
    return;
  }
  Status status = Take(std::move(outputs));
  if (status.ok()) return;
  // The caller need not wait for a plugin that takes its time to stop.
  run_->WillFail(status);
  outcome_ = std::move(status);
}

Status smi_execution::Take(Result<Outputs> outputs) {
  const mlos::engine::InferenceRequest& request = run_->request();
  if (waits_.load() && request.credit != nullptr && request.credit->exceeded()) {
    return {Reason::kOverloaded,
            "the answers were not read as fast as the model gave them, and it did not wait"};
  }
  Outputs given = MLOS_TRY(std::move(outputs));
  mlos::engine::InferenceResponse response;
  response.outputs =
      MLOS_TRY(mlos::plugin::PickOutputs(model_->slots(), request, std::move(given)));
  response.keepalive = model_;
  dropped_ = run_->Respond(std::move(response)) == Run::Taken::kDrop;
  return mlos::OkStatus();
}

smi_status_t smi_execution::HowToGoOn() {
  if (!Wanted() || run_->stop().requested()) return SMI_ERROR_CANCELLED;
  const auto& credit = run_->request().credit;
  if (credit == nullptr || credit->has_room()) {
    waits_.store(false);
    return SMI_SUCCESS;
  }
  waits_.store(true);
  // Room that came before the watcher could know that the plugin waits.
  return credit->has_room() && waits_.exchange(false) ? SMI_SUCCESS : SMI_ERROR_UNAVAILABLE;
}

Run* smi_execution::Leave(std::shared_ptr<smi_execution>* self) {
  *self = std::move(self_);
  return std::exchange(run_, nullptr);
}

void smi_execution::Close(std::shared_ptr<smi_execution> self, Run& run, Status status) {
  if (Control* control = self->model_->control(); control != nullptr) {
    if (control->cancels()) run.stop().Forget();
    if (run.request().credit != nullptr) run.request().credit->Forget(self.get());
    control->Forget(self->target().request_id);
  }
  // Before the end: whoever asked still holds the model, and lets go of it where it likes.
  self.reset();
  run.End(std::move(status));
}
