// SPDX-License-Identifier: MIT
#include "api/http/route_table.h"

#include "api/http/call.h"
#include "api/http/handlers.h"

namespace mlos::api::http {
namespace {

using wire::Verb;

/// Makes a handler that replies of one that returns its reply.
template <Result<wire::Reply> (*kHandle)(Call&)>
void Answer(const std::shared_ptr<Call>& call) {
  call->Finish(kHandle(*call));
}

// Of two patterns that fit a path the first one counts.
constexpr Route kRoutes[] = {
    {Verb::post, "/models/{id}/inference", Place::kEventThread, BodyUse::kTensors, &Infer},

    {Verb::post, "/v2/models/{id...}/versions/{version}/infer", Place::kEventThread,
     BodyUse::kTensors, &OipInfer},
    {Verb::post, "/v2/models/{id...}/infer", Place::kEventThread, BodyUse::kTensors, &OipInfer},

    {Verb::get, "/health", Place::kEventThread, BodyUse::kIgnored, &Answer<GetHealth>},
    {Verb::get, "/health/live", Place::kEventThread, BodyUse::kIgnored, &Answer<GetLiveness>},
    {Verb::get, "/health/ready", Place::kEventThread, BodyUse::kIgnored, &Answer<GetReadiness>},
    {Verb::get, "/stats", Place::kWorker, BodyUse::kIgnored, &Answer<GetStats>},
    {Verb::get, "/metrics", Place::kWorker, BodyUse::kIgnored, &Answer<GetMetrics>},

    {Verb::get, "/openapi.json", Place::kEventThread, BodyUse::kIgnored, &Answer<GetOpenApi>},

    {Verb::post, "/plugins/register", Place::kManager, BodyUse::kDocument, &Answer<RegisterPlugin>},
    {Verb::get, "/plugins", Place::kWorker, BodyUse::kIgnored, &Answer<ListPlugins>},
    {Verb::get, "/plugins/{id}", Place::kWorker, BodyUse::kIgnored, &Answer<GetPlugin>},
    {Verb::delete_, "/plugins/{id}", Place::kManager, BodyUse::kIgnored, &Answer<RemovePlugin>},

    {Verb::post, "/models/register", Place::kManager, BodyUse::kDocument, &Answer<RegisterModel>},
    {Verb::get, "/models", Place::kWorker, BodyUse::kIgnored, &Answer<ListModels>},
    {Verb::get, "/models/{id}", Place::kWorker, BodyUse::kIgnored, &Answer<GetModel>},
    {Verb::delete_, "/models/{id}", Place::kManager, BodyUse::kIgnored, &Answer<RemoveModel>},
    {Verb::post, "/models/{id}/load", Place::kManager, BodyUse::kIgnored, &Answer<LoadModel>},
    {Verb::post, "/models/{id}/unload", Place::kManager, BodyUse::kIgnored, &Answer<UnloadModel>},

    {Verb::get, "/v2", Place::kEventThread, BodyUse::kIgnored, &Answer<GetServerMetadata>},
    {Verb::get, "/v2/health/live", Place::kEventThread, BodyUse::kIgnored, &Answer<GetServerLive>},
    {Verb::get, "/v2/health/ready", Place::kEventThread, BodyUse::kIgnored,
     &Answer<GetServerReady>},
    {Verb::get, "/v2/models/stats", Place::kWorker, BodyUse::kIgnored, &Answer<GetAllStatistics>},
    {Verb::get, "/v2/models/{id...}/versions/{version}/ready", Place::kEventThread,
     BodyUse::kIgnored, &Answer<GetModelReady>},
    {Verb::get, "/v2/models/{id...}/versions/{version}/config", Place::kEventThread,
     BodyUse::kIgnored, &Answer<GetModelConfig>},
    {Verb::get, "/v2/models/{id...}/versions/{version}/stats", Place::kWorker, BodyUse::kIgnored,
     &Answer<GetModelStatistics>},
    {Verb::get, "/v2/models/{id...}/versions/{version}", Place::kEventThread, BodyUse::kIgnored,
     &Answer<GetModelMetadata>},
    {Verb::get, "/v2/models/{id...}/ready", Place::kEventThread, BodyUse::kIgnored,
     &Answer<GetModelReady>},
    {Verb::get, "/v2/models/{id...}/config", Place::kEventThread, BodyUse::kIgnored,
     &Answer<GetModelConfig>},
    {Verb::get, "/v2/models/{id...}/stats", Place::kWorker, BodyUse::kIgnored,
     &Answer<GetModelStatistics>},
    {Verb::get, "/v2/models/{id...}", Place::kEventThread, BodyUse::kIgnored,
     &Answer<GetModelMetadata>},

    {Verb::post, "/v2/models/{id...}/versions/{version}/generate", Place::kEventThread,
     BodyUse::kTensors, &OipGenerate},
    {Verb::post, "/v2/models/{id...}/generate", Place::kEventThread, BodyUse::kTensors,
     &OipGenerate},
    {Verb::post, "/v2/models/{id...}/versions/{version}/generate_stream", Place::kEventThread,
     BodyUse::kTensors, &OipGenerateStream},
    {Verb::post, "/v2/models/{id...}/generate_stream", Place::kEventThread, BodyUse::kTensors,
     &OipGenerateStream},

    {Verb::post, "/v2/repository/index", Place::kWorker, BodyUse::kOptionalDocument,
     &Answer<GetRepositoryIndex>},
    {Verb::post, "/v2/repository/models/{id...}/load", Place::kManager, BodyUse::kOptionalDocument,
     &Answer<LoadFromRepository>},
    {Verb::post, "/v2/repository/models/{id...}/unload", Place::kManager,
     BodyUse::kOptionalDocument, &Answer<UnloadFromRepository>},

    {Verb::get, "/v2/systemsharedmemory/status", Place::kEventThread, BodyUse::kIgnored,
     &Answer<RefuseSharedMemory>},
    {Verb::get, "/v2/systemsharedmemory/region/{id}/status", Place::kEventThread, BodyUse::kIgnored,
     &Answer<RefuseSharedMemory>},
    {Verb::post, "/v2/systemsharedmemory/region/{id}/register", Place::kEventThread,
     BodyUse::kIgnored, &Answer<RefuseSharedMemory>},
    {Verb::post, "/v2/systemsharedmemory/region/{id}/unregister", Place::kEventThread,
     BodyUse::kIgnored, &Answer<RefuseSharedMemory>},
    {Verb::post, "/v2/systemsharedmemory/unregister", Place::kEventThread, BodyUse::kIgnored,
     &Answer<RefuseSharedMemory>},
    {Verb::get, "/v2/cudasharedmemory/status", Place::kEventThread, BodyUse::kIgnored,
     &Answer<RefuseSharedMemory>},
    {Verb::get, "/v2/cudasharedmemory/region/{id}/status", Place::kEventThread, BodyUse::kIgnored,
     &Answer<RefuseSharedMemory>},
    {Verb::post, "/v2/cudasharedmemory/region/{id}/register", Place::kEventThread,
     BodyUse::kIgnored, &Answer<RefuseSharedMemory>},
    {Verb::post, "/v2/cudasharedmemory/region/{id}/unregister", Place::kEventThread,
     BodyUse::kIgnored, &Answer<RefuseSharedMemory>},
    {Verb::post, "/v2/cudasharedmemory/unregister", Place::kEventThread, BodyUse::kIgnored,
     &Answer<RefuseSharedMemory>},
};

}  // namespace

std::span<const Route> Routes() { return kRoutes; }

}  // namespace mlos::api::http
