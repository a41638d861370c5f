// SPDX-License-Identifier: MIT
#include <string>
#include <vector>

#include "api/grpc/messages/unary.h"
#include "api/grpc/methods.h"
#include "api/grpc/oip_name.h"
#include "api/oip/datatype.h"
#include "api/oip/description.h"
#include "api/oip/statistics.h"
#include "inference/grpc_service.pb.h"

// The Open Inference Protocol but for inference itself, with Triton's repository and statistics.
namespace mlos::api::grpc {
namespace {

using call::Call;
using catalog::ModelInfo;
using catalog::ModelState;
using door::Operation;
using messages::Unary;

Result<inference::ServerLiveResponse> ServerLive(Call& /*call*/,
                                                 const inference::ServerLiveRequest& /*request*/) {
  inference::ServerLiveResponse response;
  response.set_live(true);
  return response;
}

Result<inference::ServerReadyResponse> ServerReady(
    Call& call, const inference::ServerReadyRequest& /*request*/) {
  inference::ServerReadyResponse response;
  response.set_ready(call.runtime().ready());
  return response;
}

Result<inference::ServerMetadataResponse> ServerMetadata(
    Call& call, const inference::ServerMetadataRequest& /*request*/) {
  inference::ServerMetadataResponse response;
  response.set_name("mlos-core");
  response.set_version(call.service().lobby().version());
  for (const char* extension : {"model_repository", "model_repository(unload_dependents)",
                                "statistics", "sequence", "sequence(string_id)"}) {
    response.add_extensions(extension);
  }
  return response;
}

/// The model `name` stands for, in that version.
Result<ModelInfo> Find(Call& call, const std::string& name, const std::string& version) {
  return call.runtime().GetModel(MLOS_TRY(OipModelId(call.runtime(), name, version)));
}

Result<inference::ModelReadyResponse> ModelReady(Call& call,
                                                 const inference::ModelReadyRequest& request) {
  const Result<ModelInfo> model = Find(call, request.name(), request.version());
  if (!model.ok() && model.status().code() != StatusCode::kNotFound) return model.status();
  inference::ModelReadyResponse response;
  response.set_ready(model.ok() && model->state == ModelState::kLoaded);
  return response;
}

void Describe(const tensor::TensorSpec& spec,
              inference::ModelMetadataResponse::TensorMetadata& metadata) {
  metadata.set_name(spec.name);
  metadata.set_datatype(std::string(oip::DatatypeName(spec.dtype)));
  for (const std::int64_t size : oip::SizesOf(spec)) metadata.add_shape(size);
}

Result<inference::ModelMetadataResponse> ModelMetadata(
    Call& call, const inference::ModelMetadataRequest& request) {
  const ModelInfo model = MLOS_TRY(Find(call, request.name(), request.version()));
  inference::ModelMetadataResponse response;
  response.set_name(request.name());
  response.add_versions(model.version);
  response.set_platform(oip::Platform(model));
  for (const auto& spec : model.schema.inputs) Describe(spec, *response.add_inputs());
  for (const auto& spec : model.schema.outputs) Describe(spec, *response.add_outputs());
  return response;
}

std::string IndexState(ModelState state) {
  switch (state) {
    case ModelState::kLoaded:
      return "READY";
    case ModelState::kLoading:
      return "LOADING";
    default:
      return "UNAVAILABLE";
  }
}

Result<inference::RepositoryIndexResponse> RepositoryIndex(
    Call& call, const inference::RepositoryIndexRequest& request) {
  inference::RepositoryIndexResponse response;
  for (const ModelInfo& model : call.runtime().ListModels()) {
    if (request.ready() && model.state != ModelState::kLoaded) continue;
    auto* index = response.add_models();
    index->set_name(model.model_id);
    index->set_version(model.version);
    index->set_state(IndexState(model.state));
    if (!model.error.ok()) {
      index->set_reason(std::string(model.error.message()));
    } else if (model.state == ModelState::kUnloaded) {
      index->set_reason("unloaded");
    }
  }
  return response;
}

template <typename Request>
Status CheckRepositoryRequest(const Request& request, bool may_have_parameters) {
  if (!request.repository_name().empty()) {
    return Status(Reason::kInvalidField, "there is one repository, without a name")
        .WithField("repository_name");
  }
  if (!may_have_parameters && !request.parameters().empty()) {
    return Status(Reason::kUnimplemented, "models are loaded as they are registered")
        .WithField("parameters");
  }
  return OkStatus();
}

Result<inference::RepositoryModelLoadResponse> LoadModel(
    Call& call, const inference::RepositoryModelLoadRequest& request) {
  MLOS_TRY(CheckRepositoryRequest(request, false));
  MLOS_TRY(call.runtime().LoadModel(MLOS_TRY(OipModelId(call.runtime(), request.model_name())),
                                    call.deadline()));
  return inference::RepositoryModelLoadResponse();
}

// Clients always say whether dependents shall be unloaded too; here no model has any.
Result<inference::RepositoryModelUnloadResponse> UnloadModel(
    Call& call, const inference::RepositoryModelUnloadRequest& request) {
  MLOS_TRY(CheckRepositoryRequest(request, true));
  MLOS_TRY(call.runtime().UnloadModel(MLOS_TRY(OipModelId(call.runtime(), request.model_name())),
                                      call.deadline()));
  return inference::RepositoryModelUnloadResponse();
}

void Describe(const oip::Duration& duration, inference::StatisticDuration& described) {
  described.set_count(duration.count);
  described.set_ns(duration.ns);
}

void Describe(const metrics::ModelStats& stats, const ModelInfo& model,
              inference::ModelStatistics& described) {
  described.set_name(model.model_id);
  described.set_version(model.version);
  described.set_last_inference(static_cast<std::uint64_t>(stats.last_inference_unix_ms));
  described.set_inference_count(stats.runs.items);
  described.set_execution_count(stats.runs.count);
  for (const metrics::BatchStats& batch : stats.runs.batches) {
    auto* size = described.add_batch_stats();
    size->set_batch_size(batch.batch_size);
    Describe(oip::DurationOf(batch), *size->mutable_compute_infer());
  }
  const oip::InferenceStatistics times = oip::StatisticsOf(stats);
  auto& told = *described.mutable_inference_stats();
  Describe(times.success, *told.mutable_success());
  Describe(times.fail, *told.mutable_fail());
  Describe(times.queue, *told.mutable_queue());
  Describe(times.compute_infer, *told.mutable_compute_infer());
  auto* memory = described.add_memory_usage();
  memory->set_type("CPU");
  memory->set_byte_size(model.memory.weight_bytes + model.memory.arena_bytes);
}

Result<inference::ModelStatisticsResponse> ModelStatistics(
    Call& call, const inference::ModelStatisticsRequest& request) {
  std::vector<ModelInfo> models;
  if (request.name().empty()) {
    models = call.runtime().ListModels();
  } else {
    models.push_back(MLOS_TRY(Find(call, request.name(), request.version())));
  }
  const std::vector<metrics::ModelStats> stats = call.runtime().stats().Models();
  inference::ModelStatisticsResponse response;
  for (const ModelInfo& model : models) {
    Describe(oip::CountsOf(model.model_id, stats), model, *response.add_model_stats());
  }
  return response;
}

#define MLOS_OIP_PATH(method) "/inference.GRPCInferenceService/" method

}  // namespace

std::vector<call::Method> OipMethods() {
  return {
      {.path = MLOS_OIP_PATH("ServerLive"),
       .operation = Operation::kReadHealth,
       .open = &Unary<&ServerLive>::Open},
      {.path = MLOS_OIP_PATH("ServerReady"),
       .operation = Operation::kReadHealth,
       .open = &Unary<&ServerReady>::Open},
      {.path = MLOS_OIP_PATH("ServerMetadata"),
       .operation = Operation::kReadInterface,
       .open = &Unary<&ServerMetadata>::Open},
      {.path = MLOS_OIP_PATH("ModelReady"),
       .operation = Operation::kReadModel,
       .open = &Unary<&ModelReady>::Open},
      {.path = MLOS_OIP_PATH("ModelMetadata"),
       .operation = Operation::kReadModel,
       .open = &Unary<&ModelMetadata>::Open},
      {.path = MLOS_OIP_PATH("ModelStatistics"),
       .operation = Operation::kReadStats,
       .open = &Unary<&ModelStatistics>::Open},
      {.path = MLOS_OIP_PATH("RepositoryIndex"),
       .operation = Operation::kListModels,
       .open = &Unary<&RepositoryIndex>::Open},
      {.path = MLOS_OIP_PATH("RepositoryModelLoad"),
       .operation = Operation::kLoadModel,
       .open = &Unary<&LoadModel>::Open},
      {.path = MLOS_OIP_PATH("RepositoryModelUnload"),
       .operation = Operation::kUnloadModel,
       .open = &Unary<&UnloadModel>::Open},
  };
}

}  // namespace mlos::api::grpc
