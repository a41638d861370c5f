// SPDX-License-Identifier: MIT
#pragma once

#include <atomic>
#include <memory>
#include <span>
#include <vector>

#include "base/mutex.h"
#include "base/result.h"
#include "engine/run.h"
#include "mlos/smi_spec.h"
#include "plugin/call_error.h"
#include "plugin/control.h"
#include "plugin/marshal.h"
#include "tensor/tensor.h"

namespace mlos::plugin {

/// What an execution needs of its model. Thread-safe.
class ExecutedModel {
 public:
  ExecutedModel() = default;
  ExecutedModel(const ExecutedModel&) = delete;
  ExecutedModel& operator=(const ExecutedModel&) = delete;
  virtual ~ExecutedModel() = default;

  virtual smi_model_t* handle() const = 0;
  /// Null if the model declares nothing.
  virtual const std::vector<OutputSlot>* slots() const = 0;
  /// Null if the plugin has no control extension.
  virtual Control* control() const = 0;
  /// What `smi_status` and what this thread has said through set_error mean to a caller.
  virtual Status InferenceFailure(int smi_status) const = 0;
};

}  // namespace mlos::plugin

/// A run that a plugin has taken on through execute(); SMI's name for it. It lives until the final
/// response, which ends the run:
///
///   open ──respond──► open         the run takes the outputs, and says how to go on
///   open ──fault────► failing      the outputs are wrong, or there are too many: none is wanted
///   open, failing ──final response, or Fail──► ended
///
/// Thread-safe.
struct smi_execution {
 public:
  /// Opens `run`, which may be told to stop from now on.
  static std::shared_ptr<smi_execution> Open(
      std::shared_ptr<const mlos::plugin::ExecutedModel> model, mlos::engine::Run& run);
  smi_execution(const smi_execution&) = delete;
  smi_execution& operator=(const smi_execution&) = delete;

  /// The element of execute()'s array; valid while the run is open.
  smi_execute_request_t ToSmi();
  /// What respond() does. Takes over every output even when it has no use for it. Never blocks.
  smi_status_t Respond(int smi_status, std::span<const smi_tensor_t> outputs, bool final);
  bool ended();
  /// Ends the run if it is still open: execute() has failed.
  void Fail(const mlos::Status& status);

 private:
  using Outputs = std::vector<mlos::tensor::NamedTensor>;
  smi_execution(std::shared_ptr<const mlos::plugin::ExecutedModel> model, mlos::engine::Run& run);

  mlos::plugin::Control::Target target() const;
  void Watch(mlos::engine::Run& run);
  bool Wanted() REQUIRES(mutex_);
  /// Hands the outputs on, unless the run shall stop.
  void Deliver(mlos::Result<Outputs> outputs) REQUIRES(mutex_);
  mlos::Status Take(mlos::Result<Outputs> outputs) REQUIRES(mutex_);
  /// What the plugin is told after a response.
  smi_status_t HowToGoOn() REQUIRES(mutex_);
  /// The run, which only the caller may end now, as only `self` keeps this object. Null if the run
  /// has ended before.
  mlos::engine::Run* Leave(std::shared_ptr<smi_execution>* self) REQUIRES(mutex_);
  /// Ends the run that `self` has left.
  static void Close(std::shared_ptr<smi_execution> self, mlos::engine::Run& run,
                    mlos::Status status);

  const std::shared_ptr<const mlos::plugin::ExecutedModel> model_;
  const mlos::plugin::RequestView view_;
  const mlos::plugin::CallError::Moment opened_ = mlos::plugin::CallError::Now();
  // Whether the plugin has been told to wait for room and there has been none since. The watcher of
  // the credit takes it back.
  std::atomic<bool> waits_{false};
  // Held while a response is handed on. No watcher takes it.
  mlos::Mutex mutex_;
  std::shared_ptr<smi_execution> self_ GUARDED_BY(mutex_);  // until the run ends
  mlos::engine::Run* run_ GUARDED_BY(mutex_);               // null once it has ended
  bool dropped_ GUARDED_BY(mutex_) = false;                 // the run wants no more
  mlos::Status outcome_ GUARDED_BY(mutex_);                 // the first failure
};
