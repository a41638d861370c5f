// SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>
#include <deque>
#include <memory>
#include <thread>

#include "base/mutex.h"
#include "mlos/smi_spec.h"

namespace mlos::plugin {

class ExecutedModel;

/// Tells a plugin of the requests that it runs, through its control extension, on a thread of its
/// own: a plugin that blocks there harms nobody else. Thread-safe.
class Control {
 public:
  /// Asks a plugin that has been initialised. Null if it has no such extension.
  static std::unique_ptr<Control> Ask(const smi_plugin_interface_t& smi);
  Control(const Control&) = delete;
  Control& operator=(const Control&) = delete;
  /// Once no model is left to tell of.
  ~Control();

  /// A request of a model, whose handle may be null.
  struct Target {
    const ExecutedModel* owner = nullptr;
    smi_model_t* model = nullptr;
    std::uint64_t request_id = 0;
  };

  bool cancels() const { return smi_.cancel != nullptr; }
  bool resumes() const { return smi_.resume != nullptr; }
  /// Both return at once; the plugin is told soon.
  void Cancel(const Target& target) { Tell(smi_.cancel, target); }
  void Resume(const Target& target) { Tell(smi_.resume, target); }
  /// The request is over: what the plugin has not been told yet of it, it is not told.
  void Forget(std::uint64_t request_id);
  /// Forgets all requests of `owner`, and waits until the plugin is not being told of one.
  void Drain(const ExecutedModel* owner);

 private:
  using Function = void (*)(smi_model_t*, std::uint64_t);
  struct Message {
    Function function = nullptr;
    Target target;
  };

  explicit Control(const smi_control_t& smi);
  void Tell(Function function, const Target& target);
  /// Waits for something to tell; false once the thread shall end.
  bool Next(Message* message);
  void Run();

  const smi_control_t smi_;
  Mutex mutex_;
  CondVar changed_;
  std::deque<Message> messages_ GUARDED_BY(mutex_);
  const ExecutedModel* told_ GUARDED_BY(mutex_) =
      nullptr;  // the owner that a call is about right now
  bool stopping_ GUARDED_BY(mutex_) = false;
  std::thread thread_;
};

}  // namespace mlos::plugin
