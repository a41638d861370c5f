// SPDX-License-Identifier: MIT
#include "plugin/smi_model.h"

#include <optional>
#include <utility>

#include "base/log.h"
#include "plugin/schema.h"

namespace mlos::plugin {
namespace {

/// Has the plugin told if a run on this thread shall stop. Borrows everything.
class Stoppable {
 public:
  Stoppable(const RegisteredModel& model, const RequestView& request, engine::Stop& stop)
      : control_(model.control()),
        stop_(stop),
        target_{&model, model.handle(), request.smi()->request_id} {
    if (Watches()) stop_.Watch([this] { control_->Cancel(target_); });
  }
  Stoppable(const Stoppable&) = delete;
  Stoppable& operator=(const Stoppable&) = delete;
  ~Stoppable() {
    if (!Watches()) return;
    stop_.Forget();
    if (stop_.requested()) control_->Forget(target_.request_id);
  }

 private:
  bool Watches() const { return control_ != nullptr && control_->cancels(); }

  Control* const control_;
  engine::Stop& stop_;
  const Control::Target target_;
};

/// Gives the plugin all of `executions` at once, or one by one if it refuses them together: a
/// request that it cannot take on must not cost the others theirs.
void Execute(const RegisteredModel& model,
             std::span<const std::shared_ptr<smi_execution>> executions) {
  std::vector<smi_execute_request_t> requests;
  requests.reserve(executions.size());
  for (const auto& execution : executions) requests.push_back(execution->ToSmi());
  const int status =
      LoadedPlugin::Call(model.plugin().smi().execute, requests.data(), requests.size());
  if (status == SMI_SUCCESS) return;
  if (executions.size() == 1) {
    executions.front()->Fail(model.InferenceFailure(status));
    return;
  }
  for (const auto& execution : executions) {
    // Not what it has answered although it says that it has not taken it on.
    if (!execution->ended()) Execute(model, {&execution, 1});
  }
}

}  // namespace

Result<std::shared_ptr<const RegisteredModel>> RegisteredModel::Create(
    std::shared_ptr<LoadedPlugin> plugin, const engine::ModelSource& source) {
  std::shared_ptr<RegisteredModel> model(
      new RegisteredModel(std::move(plugin), source.path.parent_path().string()),
      &LetGo<RegisteredModel>);
  MLOS_TRY(model->Register(source));
  MLOS_TRY(model->GrantThreads(source.thread_count));
  MLOS_TRY(model->ReadInfo());
  MLOS_TRY(model->Load());
  return std::shared_ptr<const RegisteredModel>(std::move(model));
}

RegisteredModel::~RegisteredModel() {
  if (control() != nullptr) control()->Drain(this);
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
  time_given_by_shapes_ = (info.flags & SMI_MODEL_TIME_GIVEN_BY_SHAPES) != 0;
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

Result<engine::InferenceResponse> SmiModel::Infer(const engine::InferenceRequest& request,
                                                  engine::Stop* stop) {
  MLOS_TRY(RequestView::Check(request));
  const RequestView view(request, stop != nullptr ? stop->word() : nullptr);
  ResponseView response(model_->slots(), request);
  MLOS_TRY(response.Prepare());
  std::optional<Stoppable> stoppable;
  if (stop != nullptr) stoppable.emplace(*model_, view, *stop);
  const int status = LoadedPlugin::Call(model_->plugin().smi().inference, model_->handle(),
                                        view.smi(), response.smi());
  if (status != SMI_SUCCESS) [[unlikely]]
    return model_->InferenceFailure(status);
  engine::InferenceResponse answer;
  answer.outputs = MLOS_TRY(response.Collect());
  answer.keepalive = model_;
  return answer;
}

void SmiModel::Submit(std::span<engine::Run* const> runs) {
  if (!streams()) return LoadedModel::Submit(runs);
  // This object may be gone once the last of the runs has ended.
  const std::shared_ptr<const RegisteredModel> model = model_;
  std::vector<std::shared_ptr<smi_execution>> executions;
  executions.reserve(runs.size());
  for (engine::Run* run : runs) {
    if (Status fit = RequestView::Check(run->request()); fit.ok()) {
      executions.push_back(smi_execution::Open(model, *run));
    } else {
      run->End(std::move(fit));
    }
  }
  if (!executions.empty()) Execute(*model, executions);
}

engine::MemoryReport SmiModel::memory() const {
  // A plugin that remembers nothing of a model has no report of it: null asks for all of them.
  return model_->handle() == nullptr ? engine::MemoryReport{}
                                     : model_->plugin().Memory(model_->handle());
}

}  // namespace mlos::plugin
