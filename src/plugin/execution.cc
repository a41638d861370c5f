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
  // The waiter destroys this object as soon as it may: not before this lock is free again.
  const mlos::MutexLock responding(responding_);
  {
    const mlos::MutexLock lock(mutex_);
    if (final_) return SMI_ERROR_INVALID_PARAM;
    if (smi_status != SMI_SUCCESS && outcome_.smi_status == SMI_SUCCESS) {
      outcome_.smi_status = smi_status;
      outcome_.message = mlos::plugin::CallError::Last();
    }
  }
  if (!outputs.empty() && Wanted()) Deliver(std::move(adopted));
  if (final) return End();
  return Wanted() ? SMI_SUCCESS : SMI_ERROR_CANCELLED;
}

void smi_execution::Deliver(Result<std::vector<NamedTensor>> outputs) {
  Status status = outputs.ok() ? sink_(std::move(outputs).value()) : std::move(outputs).status();
  const mlos::MutexLock lock(mutex_);
  outcome_.fault = std::move(status);
}

bool smi_execution::Wanted() {
  const mlos::MutexLock lock(mutex_);
  return !late_ && outcome_.fault.ok();
}

smi_status_t smi_execution::End() {
  const mlos::MutexLock lock(mutex_);
  final_ = true;
  finished_.NotifyAll();
  return SMI_SUCCESS;
}

mlos::plugin::ExecutionOutcome smi_execution::Wait(mlos::Deadline deadline) {
  mlos::plugin::ExecutionOutcome outcome;
  {
    const mlos::MutexLock lock(mutex_);
    while (!final_) {
      if (late_ || deadline == mlos::kNoDeadline) {
        finished_.Wait(mutex_);
      } else if (!finished_.WaitUntil(mutex_, deadline)) {
        late_ = true;
      }
    }
    outcome = std::move(outcome_);
  }
  // Whoever sent the final response is about to let go of this object.
  const mlos::MutexLock responding(responding_);
  return outcome;
}
