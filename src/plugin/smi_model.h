// SPDX-License-Identifier: MIT
#pragma once

#include <memory>
#include <span>
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
class RegisteredModel final : public ExecutedModel {
 public:
  /// Registers and loads it, and reads what it declares. See engine::Engine::Load.
  static Result<std::shared_ptr<const RegisteredModel>> Create(std::shared_ptr<LoadedPlugin> plugin,
                                                               const engine::ModelSource& source);
  ~RegisteredModel() override;

  LoadedPlugin& plugin() const { return *plugin_; }
  smi_model_t* handle() const override { return handle_; }
  const engine::ModelSchema& schema() const { return schema_; }
  const std::vector<OutputSlot>* slots() const override {
    return schema_.declared ? &slots_ : nullptr;
  }
  bool time_given_by_shapes() const { return time_given_by_shapes_; }
  Control* control() const override { return plugin_->control(); }
  Status InferenceFailure(int smi_status) const override {
    return Failure(Activity::kInference, smi_status);
  }
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
  bool time_given_by_shapes_ = false;
  bool registered_ = false;
  bool granted_ = false;
  bool loaded_ = false;
};

/// Runs a model through its plugin: on the calling thread by `inference`, any number of requests at
/// once by `execute`. Thread-safe.
class SmiModel : public engine::LoadedModel {
 public:
  explicit SmiModel(std::shared_ptr<const RegisteredModel> model) : model_(std::move(model)) {}

  const engine::ModelSchema& schema() const override { return model_->schema(); }
  void Submit(std::span<engine::Run* const> runs) override;
  bool streams() const override { return model_->plugin().smi().execute != nullptr; }
  bool answers_in_place() const override { return model_->plugin().smi().inference != nullptr; }
  Result<engine::InferenceResponse> Infer(const engine::InferenceRequest& request,
                                          engine::Stop* stop) override;
  bool time_given_by_shapes() const override { return model_->time_given_by_shapes(); }
  engine::MemoryReport memory() const override;

 private:
  const std::shared_ptr<const RegisteredModel> model_;
};

}  // namespace mlos::plugin
