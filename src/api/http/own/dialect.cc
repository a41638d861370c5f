// SPDX-License-Identifier: MIT
#include "api/http/own/dialect.h"

#include "api/document/error_document.h"
#include "api/http/call/call.h"
#include "api/http/own/handlers.h"

namespace mlos::api::http::own {
namespace {

using call::Answer;
using call::BodyUse;
using call::Route;
using door::Operation;
using wire::Verb;

// Of two patterns that fit a path the first one counts.
constexpr Route kRoutes[] = {
    {Verb::post, "/models/{id}/inference", Operation::kInfer, BodyUse::kTensors, &Infer},
    {Verb::get, "/health", Operation::kReadHealth, BodyUse::kIgnored, &Answer<GetHealth>},
    {Verb::get, "/health/live", Operation::kReadHealth, BodyUse::kIgnored, &Answer<GetLiveness>},
    {Verb::get, "/health/ready", Operation::kReadHealth, BodyUse::kIgnored, &Answer<GetReadiness>},
    {Verb::get, "/stats", Operation::kReadStats, BodyUse::kIgnored, &Answer<GetStats>},
    {Verb::get, "/metrics", Operation::kReadStats, BodyUse::kIgnored, &Answer<GetMetrics>},
    {Verb::get, "/openapi.json", Operation::kReadInterface, BodyUse::kIgnored, &Answer<GetOpenApi>},
    {Verb::post, "/plugins/register", Operation::kRegisterPlugin, BodyUse::kDocument,
     &Answer<RegisterPlugin>},
    {Verb::get, "/plugins", Operation::kListPlugins, BodyUse::kIgnored, &Answer<ListPlugins>},
    {Verb::get, "/plugins/{id}", Operation::kReadPlugin, BodyUse::kIgnored, &Answer<GetPlugin>},
    {Verb::delete_, "/plugins/{id}", Operation::kRemovePlugin, BodyUse::kIgnored,
     &Answer<RemovePlugin>},
    {Verb::post, "/models/register", Operation::kRegisterModel, BodyUse::kDocument, &RegisterModel},
    {Verb::get, "/models", Operation::kListModels, BodyUse::kIgnored, &Answer<ListModels>},
    {Verb::get, "/models/{id}", Operation::kReadModel, BodyUse::kIgnored, &Answer<GetModel>},
    {Verb::delete_, "/models/{id}", Operation::kRemoveModel, BodyUse::kIgnored,
     &Answer<RemoveModel>},
    {Verb::post, "/models/{id}/load", Operation::kLoadModel, BodyUse::kIgnored, &Answer<LoadModel>},
    {Verb::post, "/models/{id}/unload", Operation::kUnloadModel, BodyUse::kIgnored,
     &Answer<UnloadModel>},
};

/// `{"status":"error","code":…,"reason":…,"field":…,"message":…}`, and "model_id" where it is
/// known.
void WriteError(json::JsonWriter& writer, const Status& status, std::string_view model_id) {
  writer.Text("status", "error");
  document::WriteErrorMembers(writer, status);
  if (!model_id.empty()) writer.Text("model_id", model_id);
}

}  // namespace

const call::Dialect& Dialect() {
  static constexpr call::Dialect kDialect{
      .root = "", .plain_ids = true, .write_error = &WriteError, .routes = kRoutes};
  return kDialect;
}

}  // namespace mlos::api::http::own
