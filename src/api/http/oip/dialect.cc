// SPDX-License-Identifier: MIT
#include "api/http/oip/dialect.h"

#include "api/http/call/call.h"
#include "api/http/oip/handlers.h"

namespace mlos::api::http::oip {
namespace {

using call::Answer;
using call::BodyUse;
using call::Route;
using door::Operation;
using wire::Verb;

// Of two patterns that fit a path the first one counts.
constexpr Route kRoutes[] = {
    {Verb::post, "/v2/models/{id...}/versions/{version}/infer", Operation::kInfer,
     BodyUse::kTensors, &Infer},
    {Verb::post, "/v2/models/{id...}/infer", Operation::kInfer, BodyUse::kTensors, &Infer},
    {Verb::get, "/v2", Operation::kReadInterface, BodyUse::kIgnored, &Answer<GetServerMetadata>},
    {Verb::get, "/v2/health/live", Operation::kReadHealth, BodyUse::kIgnored,
     &Answer<GetServerLive>},
    {Verb::get, "/v2/health/ready", Operation::kReadHealth, BodyUse::kIgnored,
     &Answer<GetServerReady>},
    {Verb::get, "/v2/models/stats", Operation::kReadStats, BodyUse::kIgnored,
     &Answer<GetAllStatistics>},
    {Verb::get, "/v2/models/{id...}/versions/{version}/ready", Operation::kReadModel,
     BodyUse::kIgnored, &Answer<GetModelReady>},
    {Verb::get, "/v2/models/{id...}/versions/{version}/config", Operation::kReadModel,
     BodyUse::kIgnored, &Answer<GetModelConfig>},
    {Verb::get, "/v2/models/{id...}/versions/{version}/stats", Operation::kReadStats,
     BodyUse::kIgnored, &Answer<GetModelStatistics>},
    {Verb::get, "/v2/models/{id...}/versions/{version}", Operation::kReadModel, BodyUse::kIgnored,
     &Answer<GetModelMetadata>},
    {Verb::get, "/v2/models/{id...}/ready", Operation::kReadModel, BodyUse::kIgnored,
     &Answer<GetModelReady>},
    {Verb::get, "/v2/models/{id...}/config", Operation::kReadModel, BodyUse::kIgnored,
     &Answer<GetModelConfig>},
    {Verb::get, "/v2/models/{id...}/stats", Operation::kReadStats, BodyUse::kIgnored,
     &Answer<GetModelStatistics>},
    {Verb::get, "/v2/models/{id...}", Operation::kReadModel, BodyUse::kIgnored,
     &Answer<GetModelMetadata>},
    {Verb::post, "/v2/models/{id...}/versions/{version}/generate", Operation::kInfer,
     BodyUse::kTensors, &Generate},
    {Verb::post, "/v2/models/{id...}/generate", Operation::kInfer, BodyUse::kTensors, &Generate},
    {Verb::post, "/v2/models/{id...}/versions/{version}/generate_stream", Operation::kInfer,
     BodyUse::kTensors, &GenerateStream},
    {Verb::post, "/v2/models/{id...}/generate_stream", Operation::kInfer, BodyUse::kTensors,
     &GenerateStream},
    {Verb::post, "/v2/repository/index", Operation::kListModels, BodyUse::kOptionalDocument,
     &Answer<GetRepositoryIndex>},
    {Verb::post, "/v2/repository/models/{id...}/load", Operation::kLoadModel,
     BodyUse::kOptionalDocument, &Answer<LoadFromRepository>},
    {Verb::post, "/v2/repository/models/{id...}/unload", Operation::kUnloadModel,
     BodyUse::kOptionalDocument, &Answer<UnloadFromRepository>},
    {Verb::get, "/v2/systemsharedmemory/status", Operation::kShareMemory, BodyUse::kIgnored,
     &Answer<RefuseSharedMemory>},
    {Verb::get, "/v2/systemsharedmemory/region/{id}/status", Operation::kShareMemory,
     BodyUse::kIgnored, &Answer<RefuseSharedMemory>},
    {Verb::post, "/v2/systemsharedmemory/region/{id}/register", Operation::kShareMemory,
     BodyUse::kIgnored, &Answer<RefuseSharedMemory>},
    {Verb::post, "/v2/systemsharedmemory/region/{id}/unregister", Operation::kShareMemory,
     BodyUse::kIgnored, &Answer<RefuseSharedMemory>},
    {Verb::post, "/v2/systemsharedmemory/unregister", Operation::kShareMemory, BodyUse::kIgnored,
     &Answer<RefuseSharedMemory>},
    {Verb::get, "/v2/cudasharedmemory/status", Operation::kShareMemory, BodyUse::kIgnored,
     &Answer<RefuseSharedMemory>},
    {Verb::get, "/v2/cudasharedmemory/region/{id}/status", Operation::kShareMemory,
     BodyUse::kIgnored, &Answer<RefuseSharedMemory>},
    {Verb::post, "/v2/cudasharedmemory/region/{id}/register", Operation::kShareMemory,
     BodyUse::kIgnored, &Answer<RefuseSharedMemory>},
    {Verb::post, "/v2/cudasharedmemory/region/{id}/unregister", Operation::kShareMemory,
     BodyUse::kIgnored, &Answer<RefuseSharedMemory>},
    {Verb::post, "/v2/cudasharedmemory/unregister", Operation::kShareMemory, BodyUse::kIgnored,
     &Answer<RefuseSharedMemory>},
};

/// `{"error":…,"code":…,"reason":…,"field":…}`: what the protocol says of an error, and what Core
/// tells besides.
void WriteError(json::JsonWriter& writer, const Status& status, std::string_view /*model_id*/) {
  writer.Text("error", status.message());
  writer.Text("code", ToString(status.code()));
  writer.Text("reason", ToString(status.reason()));
  writer.Text("field", status.field());
}

}  // namespace

const call::Dialect& Dialect() {
  static constexpr call::Dialect kDialect{
      .root = "v2", .plain_ids = false, .write_error = &WriteError, .routes = kRoutes};
  return kDialect;
}

}  // namespace mlos::api::http::oip
