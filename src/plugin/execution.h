// SPDX-License-Identifier: MIT
#pragma once

#include <span>
#include <string>
#include <vector>

#include "base/clock.h"
#include "base/mutex.h"
#include "base/result.h"
#include "mlos/smi_spec.h"
#include "tensor/tensor.h"

namespace mlos::plugin {

struct ExecutionOutcome {
  int smi_status = SMI_SUCCESS;
  /// What set_error said before the response that failed.
  std::string message;
  /// What is wrong with the responses themselves.
  Status fault;
  std::vector<tensor::NamedTensor> outputs;
};

}  // namespace mlos::plugin

/// A request of execute() that waits for its answers; SMI's name for it. One response with outputs
/// is an answer, several are a stream, which nobody here can take. Thread-safe.
struct smi_execution {
 public:
  /// What respond() does. Takes over every output even when it has no use for it.
  smi_status_t Respond(int smi_status, std::span<const smi_tensor_t> outputs, bool final);

  /// Waits for the final response. Once `deadline` has passed the plugin is told to stop; its final
  /// response is waited for all the same, since until then it reads the request.
  mlos::plugin::ExecutionOutcome Wait(mlos::Deadline deadline);

 private:
  void Keep(std::vector<mlos::tensor::NamedTensor> outputs) REQUIRES(mutex_);

  mlos::Mutex mutex_;
  mlos::CondVar finished_;
  bool final_ GUARDED_BY(mutex_) = false;
  bool cancelled_ GUARDED_BY(mutex_) = false;
  bool answered_ GUARDED_BY(mutex_) = false;
  mlos::plugin::ExecutionOutcome outcome_ GUARDED_BY(mutex_);
};
