// SPDX-License-Identifier: MIT
#include <memory>
#include <string>
#include <vector>

#include "api/door/registration.h"
#include "api/grpc/convert.h"
#include "api/grpc/messages/unary.h"
#include "api/grpc/methods.h"
#include "api/grpc/settings.h"
#include "base/model_id.h"

// HealthService, PluginService and ModelService of mlos.v1: the same use cases as the routes of the
// HTTP door.
namespace mlos::api::grpc {
namespace {

using call::Call;
using door::Operation;
using messages::Unary;

Result<v1::GetHealthResponse> GetHealth(Call& call, const v1::GetHealthRequest& /*request*/) {
  const door::Lobby& lobby = call.service().lobby();
  v1::GetHealthResponse response;
  response.set_status("healthy");
  response.set_service("mlos-core");
  response.set_version(lobby.version());
  for (const std::string& api : lobby.doors()) response.add_apis(api);
  response.set_timestamp(UnixSecondsNow());
  return response;
}

Result<v1::GetReadinessResponse> GetReadiness(Call& call,
                                              const v1::GetReadinessRequest& /*request*/) {
  v1::GetReadinessResponse response;
  response.set_ready(call.runtime().ready());
  return response;
}

Result<v1::GetStatsResponse> GetStats(Call& call, const v1::GetStatsRequest& /*request*/) {
  const metrics::ServerStats stats = call.runtime().stats().Server();
  v1::GetStatsResponse response;
  response.set_total_requests(stats.total_requests);
  response.set_successful_requests(stats.successful_requests);
  response.set_failed_requests(stats.failed_requests);
  Convert(stats.errors, *response.mutable_errors());
  Convert(stats.response_time, *response.mutable_response_time());
  response.set_uptime_seconds(stats.uptime_seconds);
  for (const auto& model : call.runtime().stats().Models()) Convert(model, *response.add_models());
  return response;
}

Status Missing(std::string_view field, std::string_view what) {
  return Status(Reason::kMissingField, std::string(field) + " is required: " + std::string(what))
      .WithField(field);
}

Result<v1::RegisterPluginResponse> RegisterPlugin(Call& call,
                                                  const v1::RegisterPluginRequest& request) {
  if (request.id().empty()) return Missing("id", "the name of the plugin");
  v1::RegisterPluginResponse response;
  Convert(MLOS_TRY(call.runtime().RegisterPlugin({.id = request.id(),
                                                  .name = request.name(),
                                                  .version = request.version(),
                                                  .path = request.path(),
                                                  .config = request.config_json()})),
          *response.mutable_plugin());
  return response;
}

Result<v1::ListPluginsResponse> ListPlugins(Call& call, const v1::ListPluginsRequest& /*request*/) {
  v1::ListPluginsResponse response;
  for (const auto& plugin : call.runtime().ListPlugins()) Convert(plugin, *response.add_plugins());
  return response;
}

Result<v1::GetPluginResponse> GetPlugin(Call& call, const v1::GetPluginRequest& request) {
  v1::GetPluginResponse response;
  Convert(MLOS_TRY(call.runtime().GetPlugin(request.id())), *response.mutable_plugin());
  return response;
}

Result<v1::RemovePluginResponse> RemovePlugin(Call& call, const v1::RemovePluginRequest& request) {
  MLOS_TRY(call.runtime().RemovePlugin(request.id()));
  return v1::RemovePluginResponse();
}

constexpr messages::CostField kRegisterModelFields[] = {{13, &messages::kFlatCost, 0}};
const messages::Cost kRegisterModelCost{kRegisterModelFields};

Result<catalog::RegisterModelRequest> RequestOf(const v1::RegisterModelRequest& message) {
  return catalog::RegisterModelRequest{
      .model_id = message.model_id(),
      .path = message.path(),
      .manifest_path = message.manifest_path(),
      .name = message.name(),
      .framework = message.framework(),
      .execution_format = message.execution_format(),
      .description = message.description(),
      .plugin_id = message.plugin_id(),
      .autoload = !message.has_autoload() || message.autoload(),
      .settings = MLOS_TRY(SettingsOf(message)),
  };
}

Status CheckRegistration(const v1::RegisterModelRequest& request) {
  if (request.model_id().empty()) return Missing("model_id", "namespace/name@version");
  MLOS_TRY(ModelId::Parse(request.model_id()));
  if (request.path().empty()) {
    return Missing("path", "a model file, a package's directory or an .axon file");
  }
  return OkStatus();
}

void RegisterModel(const std::shared_ptr<Call>& call, const v1::RegisterModelRequest& message) {
  if (Status valid = CheckRegistration(message); !valid.ok()) return call->Finish(valid);
  Result<catalog::RegisterModelRequest> request = RequestOf(message);
  if (!request.ok()) return call->Finish(request.status());
  door::RegisterModel(call->service().lobby(), *std::move(request), call->deadline(),
                      [call](const Result<catalog::RegisterModelOutcome>& outcome) {
                        if (!outcome.ok()) return call->Finish(outcome.status());
                        v1::RegisterModelResponse response;
                        Convert(outcome->info, *response.mutable_model());
                        response.set_changed(outcome->changed);
                        messages::Reply(*call, response);
                      });
}

Result<v1::ListModelsResponse> ListModels(Call& call, const v1::ListModelsRequest& /*request*/) {
  v1::ListModelsResponse response;
  for (const auto& model : call.runtime().ListModels()) Convert(model, *response.add_models());
  return response;
}

Result<v1::GetModelResponse> GetModel(Call& call, const v1::GetModelRequest& request) {
  v1::GetModelResponse response;
  Convert(MLOS_TRY(call.runtime().GetModel(request.model_id())), *response.mutable_model());
  return response;
}

Result<v1::RemoveModelResponse> RemoveModel(Call& call, const v1::RemoveModelRequest& request) {
  MLOS_TRY(call.runtime().RemoveModel(request.model_id(), call.deadline()));
  return v1::RemoveModelResponse();
}

Result<v1::LoadModelResponse> LoadModel(Call& call, const v1::LoadModelRequest& request) {
  v1::LoadModelResponse response;
  Convert(MLOS_TRY(call.runtime().LoadModel(request.model_id(), call.deadline())),
          *response.mutable_model());
  return response;
}

Result<v1::UnloadModelResponse> UnloadModel(Call& call, const v1::UnloadModelRequest& request) {
  v1::UnloadModelResponse response;
  Convert(MLOS_TRY(call.runtime().UnloadModel(request.model_id(), call.deadline())),
          *response.mutable_model());
  return response;
}

}  // namespace

std::vector<call::Method> MlosMethods() {
  return {
      {.path = "/mlos.v1.HealthService/GetHealth",
       .operation = Operation::kReadHealth,
       .open = &Unary<&GetHealth>::Open},
      {.path = "/mlos.v1.HealthService/GetReadiness",
       .operation = Operation::kReadHealth,
       .open = &Unary<&GetReadiness>::Open},
      {.path = "/mlos.v1.HealthService/GetStats",
       .operation = Operation::kReadStats,
       .open = &Unary<&GetStats>::Open},
      {.path = "/mlos.v1.PluginService/RegisterPlugin",
       .operation = Operation::kRegisterPlugin,
       .open = &Unary<&RegisterPlugin>::Open},
      {.path = "/mlos.v1.PluginService/ListPlugins",
       .operation = Operation::kListPlugins,
       .open = &Unary<&ListPlugins>::Open},
      {.path = "/mlos.v1.PluginService/GetPlugin",
       .operation = Operation::kReadPlugin,
       .open = &Unary<&GetPlugin>::Open},
      {.path = "/mlos.v1.PluginService/RemovePlugin",
       .operation = Operation::kRemovePlugin,
       .open = &Unary<&RemovePlugin>::Open},
      {.path = "/mlos.v1.ModelService/RegisterModel",
       .operation = Operation::kRegisterModel,
       .open = &Unary<&RegisterModel, kRegisterModelCost>::Open},
      {.path = "/mlos.v1.ModelService/ListModels",
       .operation = Operation::kListModels,
       .open = &Unary<&ListModels>::Open},
      {.path = "/mlos.v1.ModelService/GetModel",
       .operation = Operation::kReadModel,
       .open = &Unary<&GetModel>::Open},
      {.path = "/mlos.v1.ModelService/RemoveModel",
       .operation = Operation::kRemoveModel,
       .open = &Unary<&RemoveModel>::Open},
      {.path = "/mlos.v1.ModelService/LoadModel",
       .operation = Operation::kLoadModel,
       .open = &Unary<&LoadModel>::Open},
      {.path = "/mlos.v1.ModelService/UnloadModel",
       .operation = Operation::kUnloadModel,
       .open = &Unary<&UnloadModel>::Open},
  };
}

}  // namespace mlos::api::grpc
