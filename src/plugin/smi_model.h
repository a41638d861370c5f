// SPDX-License-Identifier: MIT
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "base/result.h"
#include "engine/engine.h"
#include "plugin/execution.h"
#include "plugin/loaded_plugin.h"
#include "plugin/marshal.h"

namespace mlos::plugin {

/// A model that a plugin has registered and loaded: unloaded and unregistered on destruction.
/// Shared with the responses whose tensors lie in the plugin. Thread-safe.
class RegisteredModel {
 public:
  /// Registers and loads it, and reads what it declares. See engine::Engine::Load.
  static Result<std::shared_ptr<const RegisteredModel>> Create(std::shared_ptr<LoadedPlugin> plugin,
                                                               const engine::ModelSource& source);
  RegisteredModel(const RegisteredModel&) = delete;
  RegisteredModel& operator=(const RegisteredModel&) = delete;
  ~RegisteredModel();

  LoadedPlugin& plugin() const { return *plugin_; }
  smi_model_t* handle() const { return handle_; }
  const engine::ModelSchema& schema() const { return schema_; }
  /// Null where the model declares nothing.
  const std::vector<OutputSlot>* slots() const { return schema_.declared ? &slots_ : nullptr; }
  /// The failure of a call about this model; see LoadedPlugin::Failure.
  Status Failure(Activity activity, int smi_status) const {
    return plugin_->Failure(activity, smi_status, folder_);
  }

 private:
  RegisteredModel(std::shared_ptr<LoadedPlugin> plugin, std::string folder)
      : plugin_(std::move(plugin)), folder_(std::move(folder)) {}
  Status Register(const engine::ModelSource& source);
  Status GrantThreads(std::uint32_t thread_count);
  Status ReadInfo();
  Status Load();

  const std::shared_ptr<LoadedPlugin> plugin_;
  const std::string folder_;  // of its files; never shown
  smi_model_t* handle_ = nullptr;
  engine::ModelSchema schema_;
  std::vector<OutputSlot> slots_;
  bool registered_ = false;
  bool granted_ = false;
  bool loaded_ = false;
};

/// Runs a model through its plugin's `inference`, or `execute` where that is all it has.
/// Thread-safe.
class SmiModel : public engine::LoadedModel {
 public:
  explicit SmiModel(std::shared_ptr<const RegisteredModel> model) : model_(std::move(model)) {}

  const engine::ModelSchema& schema() const override { return model_->schema(); }
  Result<engine::InferenceResponse> Infer(const engine::InferenceRequest& request) override;
  Status Stream(const engine::InferenceRequest& request, const engine::ResponseSink& sink) override;
  bool streams() const override { return model_->plugin().smi().execute != nullptr; }
  engine::MemoryReport memory() const override;

 private:
  using Outputs = std::vector<tensor::NamedTensor>;
  /// Whether the plugin has `inference`.
  bool Answers() const;
  engine::InferenceResponse ResponseOf(Outputs outputs) const;
  Result<Outputs> RunInference(const engine::InferenceRequest& request) const;
  Result<Outputs> RunExecute(const engine::InferenceRequest& request) const;
  /// Runs `execute`; `sink` is given what it responds with.
  Status Execute(const engine::InferenceRequest& request, smi_execution::Sink sink) const;

  const std::shared_ptr<const RegisteredModel> model_;
};

}  // namespace mlos::plugin
