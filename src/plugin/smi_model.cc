// SPDX-License-Identifier: MIT
#include "plugin/smi_model.h"

#include <optional>
#include <utility>

#include "base/clock.h"
#include "base/log.h"
#include "plugin/schema.h"

namespace mlos::plugin {

Result<std::shared_ptr<const RegisteredModel>> RegisteredModel::Create(
    std::shared_ptr<LoadedPlugin> plugin, const engine::ModelSource& source) {
  std::shared_ptr<RegisteredModel> model(
      new RegisteredModel(std::move(plugin), source.path.parent_path().string()));
  MLOS_TRY(model->Register(source));
  MLOS_TRY(model->GrantThreads(source.thread_count));
  MLOS_TRY(model->ReadInfo());
  MLOS_TRY(model->Load());
  return std::shared_ptr<const RegisteredModel>(std::move(model));
}

RegisteredModel::~RegisteredModel() {
  const auto call = [this](auto* function, std::string_view name) {
    if (function == nullptr || LoadedPlugin::Call(function, handle_) == SMI_SUCCESS) return;
    Log(LogLevel::kWarning, "plugin did not let go of a model",
        {{"plugin", plugin_->id()}, {"function", name}, {"error", CallError::Last()}});
  };
  if (loaded_) call(plugin_->smi().unload_model, "unload_model");
  if (granted_) call(plugin_->smi().deallocate_resources, "deallocate_resources");
  if (registered_) call(plugin_->smi().unregister_model, "unregister_model");
}

Status RegisteredModel::Register(const engine::ModelSource& source) {
  const std::string path = source.path.string();
  smi_model_source_t smi{};
  smi.struct_size = sizeof(smi);
  smi.model_id = source.model_id.c_str();
  smi.path = path.c_str();
  smi.format = source.format.c_str();
  smi.digest = source.digest.empty() ? nullptr : source.digest.c_str();
  smi.options = source.options.empty() ? nullptr : source.options.c_str();
  const int status = LoadedPlugin::Call(plugin_->smi().register_model, &smi, &handle_);
  registered_ = status == SMI_SUCCESS;
  return registered_ ? OkStatus() : Failure(Activity::kModel, status);
}

// A plugin that remembers nothing of a model cannot tell its limits from those of the whole plugin.
Status RegisteredModel::GrantThreads(std::uint32_t thread_count) {
  if (thread_count == 0) return OkStatus();
  smi_resources_t resources{};
  resources.struct_size = sizeof(resources);
  resources.thread_count = thread_count;
  const auto allocate = handle_ == nullptr ? nullptr : plugin_->smi().allocate_resources;
  const int status = allocate == nullptr ? SMI_ERROR_UNSUPPORTED
                                         : LoadedPlugin::Call(allocate, handle_, &resources);
  if (status == SMI_ERROR_UNSUPPORTED) {
    return Status(Reason::kInvalidField,
                  "plugin '" + plugin_->id() + "' gives no model threads of its own")
        .WithField("intra_op_threads");
  }
  granted_ = status == SMI_SUCCESS;
  return granted_ ? OkStatus() : Failure(Activity::kModel, status);
}

Status RegisteredModel::ReadInfo() {
  schema_.declared = plugin_->smi().get_model_info != nullptr;
  if (!schema_.declared) return OkStatus();
  smi_model_info_t info{};
  info.struct_size = sizeof(info);
  const int status = LoadedPlugin::Call(plugin_->smi().get_model_info, handle_, &info);
  if (status != SMI_SUCCESS) return Failure(Activity::kModel, status);
  schema_ = MLOS_TRY(ReadSchema(info));
  slots_ = PlanOutputs(schema_);
  return OkStatus();
}

Status RegisteredModel::Load() {
  if (plugin_->smi().load_model != nullptr) {
    const int status = LoadedPlugin::Call(plugin_->smi().load_model, handle_);
    if (status != SMI_SUCCESS) return Failure(Activity::kModel, status);
  }
  loaded_ = true;
  return OkStatus();
}

Result<engine::InferenceResponse> SmiModel::Infer(const engine::InferenceRequest& request) {
  MLOS_TRY(RequestView::Check(request));
  return ResponseOf(MLOS_TRY(Answers() ? RunInference(request) : RunExecute(request)));
}

Status SmiModel::Stream(const engine::InferenceRequest& request, const engine::ResponseSink& sink) {
  if (!streams()) return LoadedModel::Stream(request, sink);
  MLOS_TRY(RequestView::Check(request));
  return Execute(request, [&](Outputs given) -> Status {
    if (request.cancelled()) return {Reason::kCancelled, "the caller cancelled the request"};
    return sink(ResponseOf(MLOS_TRY(PickOutputs(model_->slots(), request, std::move(given)))));
  });
}

bool SmiModel::Answers() const { return model_->plugin().smi().inference != nullptr; }

engine::InferenceResponse SmiModel::ResponseOf(Outputs outputs) const {
  engine::InferenceResponse response;
  response.outputs = std::move(outputs);
  response.keepalive = model_;
  return response;
}

Result<SmiModel::Outputs> SmiModel::RunInference(const engine::InferenceRequest& request) const {
  const RequestView view(request);
  ResponseView response(model_->slots(), request);
  MLOS_TRY(response.Prepare());
  const int status = LoadedPlugin::Call(model_->plugin().smi().inference, model_->handle(),
                                        view.smi(), response.smi());
  if (status != SMI_SUCCESS) [[unlikely]]
    return model_->Failure(Activity::kInference, status);
  return response.Collect();
}

Result<SmiModel::Outputs> SmiModel::RunExecute(const engine::InferenceRequest& request) const {
  std::optional<Outputs> answer;
  MLOS_TRY(Execute(request, [&](Outputs given) -> Status {
    if (answer) {
      return {Reason::kUnimplemented,
              "the model answers with a stream: ask for it through a streaming call"};
    }
    answer = std::move(given);
    return OkStatus();
  }));
  return PickOutputs(model_->slots(), request, std::move(answer).value_or(Outputs()));
}

Status SmiModel::Execute(const engine::InferenceRequest& request, smi_execution::Sink sink) const {
  const RequestView view(request);
  smi_execution execution(std::move(sink));
  smi_execute_request_t smi{};
  smi.struct_size = sizeof(smi);
  smi.execution = &execution;
  smi.model = model_->handle();
  smi.request = view.smi();
  const int status = LoadedPlugin::Call(model_->plugin().smi().execute, &smi, std::size_t{1});
  if (status != SMI_SUCCESS) return model_->Failure(Activity::kInference, status);
  ExecutionOutcome outcome = execution.Wait(request.deadline);
  // A fault of ours to find comes first: the plugin may have stopped because of it.
  MLOS_TRY(std::move(outcome.fault));
  if (outcome.smi_status == SMI_SUCCESS) return OkStatus();
  CallError::Set(outcome.message.c_str());
  return model_->Failure(Activity::kInference, outcome.smi_status);
}

engine::MemoryReport SmiModel::memory() const {
  // A plugin that remembers nothing of a model has no report of it: null asks for all of them.
  return model_->handle() == nullptr ? engine::MemoryReport{}
                                     : model_->plugin().Memory(model_->handle());
}

}  // namespace mlos::plugin
