// SPDX-License-Identifier: MIT
#pragma once

#include <functional>
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
  /// What is wrong with the responses themselves, or why no more of them were wanted.
  Status fault;
};

}  // namespace mlos::plugin

/// A request of execute() that waits for its answers; SMI's name for it. Thread-safe.
struct smi_execution {
 public:
  /// Takes the outputs of each response that has some, in order, on the thread that responds. Not
  /// OK where it wants no more.
  using Sink = std::function<mlos::Status(std::vector<mlos::tensor::NamedTensor>)>;

  explicit smi_execution(Sink sink) : sink_(std::move(sink)) {}

  /// What respond() does. Takes over every output even when it has no use for it.
  smi_status_t Respond(int smi_status, std::span<const smi_tensor_t> outputs, bool final);

  /// Waits for the final response. Once `deadline` has passed the plugin is told to stop; its final
  /// response is waited for all the same, since until then it reads the request.
  mlos::plugin::ExecutionOutcome Wait(mlos::Deadline deadline);

 private:
  /// Hands the outputs on where they are still wanted.
  void Deliver(mlos::Result<std::vector<mlos::tensor::NamedTensor>> outputs) REQUIRES(responding_);
  bool Wanted() EXCLUDES(mutex_);
  smi_status_t End() EXCLUDES(mutex_);

  const Sink sink_;
  // Held while a response is handed on, which may take long: one at a time. Taken before mutex_.
  mlos::Mutex responding_;
  mlos::Mutex mutex_;
  mlos::CondVar finished_;
  bool final_ GUARDED_BY(mutex_) = false;
  bool late_ GUARDED_BY(mutex_) = false;
  mlos::plugin::ExecutionOutcome outcome_ GUARDED_BY(mutex_);
};
