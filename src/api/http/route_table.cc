// SPDX-License-Identifier: MIT
#include "api/http/route_table.h"

#include "api/http/call/call.h"
#include "api/http/handlers/handlers.h"
#include "api/http/oip_handlers/handlers.h"

namespace mlos::api::http {
namespace {

using call::BodyUse;
using call::Call;
using call::Place;
using call::Route;
using wire::Verb;

/// Makes a handler that replies of one that returns its reply.
template <Result<wire::Reply> (*kHandle)(Call&)>
void Answer(const std::shared_ptr<Call>& call) {
  call->Finish(kHandle(*call));
}

// Of two patterns that fit a path the first one counts.
constexpr Route kRoutes[] = {
    {Verb::post, "/models/{id}/inference", Place::kEventThread, BodyUse::kTensors,
     &handlers::Infer},

    {Verb::post, "/v2/models/{id...}/versions/{version}/infer", Place::kEventThread,
     BodyUse::kTensors, &oip_handlers::Infer},
    {Verb::post, "/v2/models/{id...}/infer", Place::kEventThread, BodyUse::kTensors,
     &oip_handlers::Infer},

    {Verb::get, "/health", Place::kEventThread, BodyUse::kIgnored, &Answer<handlers::GetHealth>},
    {Verb::get, "/health/live", Place::kEventThread, BodyUse::kIgnored,
     &Answer<handlers::GetLiveness>},
    {Verb::get, "/health/ready", Place::kEventThread, BodyUse::kIgnored,
     &Answer<handlers::GetReadiness>},
    {Verb::get, "/stats", Place::kWorker, BodyUse::kIgnored, &Answer<handlers::GetStats>},
    {Verb::get, "/metrics", Place::kWorker, BodyUse::kIgnored, &Answer<handlers::GetMetrics>},

    {Verb::get, "/openapi.json", Place::kEventThread, BodyUse::kIgnored,
     &Answer<handlers::GetOpenApi>},

    {Verb::post, "/plugins/register", Place::kManager, BodyUse::kDocument,
     &Answer<handlers::RegisterPlugin>},
    {Verb::get, "/plugins", Place::kWorker, BodyUse::kIgnored, &Answer<handlers::ListPlugins>},
    {Verb::get, "/plugins/{id}", Place::kWorker, BodyUse::kIgnored, &Answer<handlers::GetPlugin>},
    {Verb::delete_, "/plugins/{id}", Place::kManager, BodyUse::kIgnored,
     &Answer<handlers::RemovePlugin>},

    {Verb::post, "/models/register", Place::kManager, BodyUse::kDocument,
     &Answer<handlers::RegisterModel>},
    {Verb::get, "/models", Place::kWorker, BodyUse::kIgnored, &Answer<handlers::ListModels>},
    {Verb::get, "/models/{id}", Place::kWorker, BodyUse::kIgnored, &Answer<handlers::GetModel>},
    {Verb::delete_, "/models/{id}", Place::kManager, BodyUse::kIgnored,
     &Answer<handlers::RemoveModel>},
    {Verb::post, "/models/{id}/load", Place::kManager, BodyUse::kIgnored,
     &Answer<handlers::LoadModel>},
    {Verb::post, "/models/{id}/unload", Place::kManager, BodyUse::kIgnored,
     &Answer<handlers::UnloadModel>},

    {Verb::get, "/v2", Place::kEventThread, BodyUse::kIgnored,
     &Answer<oip_handlers::GetServerMetadata>},
    {Verb::get, "/v2/health/live", Place::kEventThread, BodyUse::kIgnored,
     &Answer<oip_handlers::GetServerLive>},
    {Verb::get, "/v2/health/ready", Place::kEventThread, BodyUse::kIgnored,
     &Answer<oip_handlers::GetServerReady>},
    {Verb::get, "/v2/models/stats", Place::kWorker, BodyUse::kIgnored,
     &Answer<oip_handlers::GetAllStatistics>},
    {Verb::get, "/v2/models/{id...}/versions/{version}/ready", Place::kEventThread,
     BodyUse::kIgnored, &Answer<oip_handlers::GetModelReady>},
    {Verb::get, "/v2/models/{id...}/versions/{version}/config", Place::kEventThread,
     BodyUse::kIgnored, &Answer<oip_handlers::GetModelConfig>},
    {Verb::get, "/v2/models/{id...}/versions/{version}/stats", Place::kWorker, BodyUse::kIgnored,
     &Answer<oip_handlers::GetModelStatistics>},
    {Verb::get, "/v2/models/{id...}/versions/{version}", Place::kEventThread, BodyUse::kIgnored,
     &Answer<oip_handlers::GetModelMetadata>},
    {Verb::get, "/v2/models/{id...}/ready", Place::kEventThread, BodyUse::kIgnored,
     &Answer<oip_handlers::GetModelReady>},
    {Verb::get, "/v2/models/{id...}/config", Place::kEventThread, BodyUse::kIgnored,
     &Answer<oip_handlers::GetModelConfig>},
    {Verb::get, "/v2/models/{id...}/stats", Place::kWorker, BodyUse::kIgnored,
     &Answer<oip_handlers::GetModelStatistics>},
    {Verb::get, "/v2/models/{id...}", Place::kEventThread, BodyUse::kIgnored,
     &Answer<oip_handlers::GetModelMetadata>},

    {Verb::post, "/v2/models/{id...}/versions/{version}/generate", Place::kEventThread,
     BodyUse::kTensors, &oip_handlers::Generate},
    {Verb::post, "/v2/models/{id...}/generate", Place::kEventThread, BodyUse::kTensors,
     &oip_handlers::Generate},
    {Verb::post, "/v2/models/{id...}/versions/{version}/generate_stream", Place::kEventThread,
     BodyUse::kTensors, &oip_handlers::GenerateStream},
    {Verb::post, "/v2/models/{id...}/generate_stream", Place::kEventThread, BodyUse::kTensors,
     &oip_handlers::GenerateStream},

    {Verb::post, "/v2/repository/index", Place::kWorker, BodyUse::kOptionalDocument,
     &Answer<oip_handlers::GetRepositoryIndex>},
    {Verb::post, "/v2/repository/models/{id...}/load", Place::kManager, BodyUse::kOptionalDocument,
     &Answer<oip_handlers::LoadFromRepository>},
    {Verb::post, "/v2/repository/models/{id...}/unload", Place::kManager,
     BodyUse::kOptionalDocument, &Answer<oip_handlers::UnloadFromRepository>},

    {Verb::get, "/v2/systemsharedmemory/status", Place::kEventThread, BodyUse::kIgnored,
     &Answer<oip_handlers::RefuseSharedMemory>},
    {Verb::get, "/v2/systemsharedmemory/region/{id}/status", Place::kEventThread, BodyUse::kIgnored,
     &Answer<oip_handlers::RefuseSharedMemory>},
    {Verb::post, "/v2/systemsharedmemory/region/{id}/register", Place::kEventThread,
     BodyUse::kIgnored, &Answer<oip_handlers::RefuseSharedMemory>},
    {Verb::post, "/v2/systemsharedmemory/region/{id}/unregister", Place::kEventThread,
     BodyUse::kIgnored, &Answer<oip_handlers::RefuseSharedMemory>},
    {Verb::post, "/v2/systemsharedmemory/unregister", Place::kEventThread, BodyUse::kIgnored,
     &Answer<oip_handlers::RefuseSharedMemory>},
    {Verb::get, "/v2/cudasharedmemory/status", Place::kEventThread, BodyUse::kIgnored,
     &Answer<oip_handlers::RefuseSharedMemory>},
    {Verb::get, "/v2/cudasharedmemory/region/{id}/status", Place::kEventThread, BodyUse::kIgnored,
     &Answer<oip_handlers::RefuseSharedMemory>},
    {Verb::post, "/v2/cudasharedmemory/region/{id}/register", Place::kEventThread,
     BodyUse::kIgnored, &Answer<oip_handlers::RefuseSharedMemory>},
    {Verb::post, "/v2/cudasharedmemory/region/{id}/unregister", Place::kEventThread,
     BodyUse::kIgnored, &Answer<oip_handlers::RefuseSharedMemory>},
    {Verb::post, "/v2/cudasharedmemory/unregister", Place::kEventThread, BodyUse::kIgnored,
     &Answer<oip_handlers::RefuseSharedMemory>},
};

}  // namespace

std::span<const Route> Routes() { return kRoutes; }

}  // namespace mlos::api::http
