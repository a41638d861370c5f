// SPDX-License-Identifier: MIT
#include "plugin/execution.h"

#include <string>
#include <utility>

#include "plugin/call_error.h"
#include "plugin/smi_tensor.h"

namespace {

using mlos::Reason;
using mlos::Result;
using mlos::Status;
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

smi_status_t smi_execution::Respond(int smi_status, std::span<const smi_tensor_t> outputs,
                                    bool final) {
  Result<std::vector<NamedTensor>> adopted = AdoptAll(outputs);
  mlos::MutexLock lock(mutex_);
  if (final_) return SMI_ERROR_INVALID_PARAM;
  if (smi_status != SMI_SUCCESS && outcome_.smi_status == SMI_SUCCESS) {
    outcome_.smi_status = smi_status;
    outcome_.message = mlos::plugin::CallError::Last();
  }
  if (!adopted.ok()) {
    if (outcome_.fault.ok()) outcome_.fault = std::move(adopted).status();
  } else if (!adopted->empty()) {
    Keep(std::move(adopted).value());
  }
  const bool cancelled = cancelled_ || !outcome_.fault.ok();
  if (final) {
    final_ = true;
    // Under the lock: the waiter destroys this object as soon as it may.
    finished_.NotifyAll();
  }
  return cancelled && !final ? SMI_ERROR_CANCELLED : SMI_SUCCESS;
}

void smi_execution::Keep(std::vector<NamedTensor> outputs) {
  if (answered_ && outcome_.fault.ok()) {
    outcome_.fault = Status(Reason::kUnimplemented,
                            "the model answers with a stream, which needs a streaming API");
  }
  answered_ = true;
  outcome_.outputs = std::move(outputs);
}

mlos::plugin::ExecutionOutcome smi_execution::Wait(mlos::Deadline deadline) {
  mlos::MutexLock lock(mutex_);
  while (!final_) {
    if (cancelled_ || deadline == mlos::kNoDeadline) {
      finished_.Wait(mutex_);
    } else if (!finished_.WaitUntil(mutex_, deadline)) {
      cancelled_ = true;
    }
  }
  return std::move(outcome_);
}
