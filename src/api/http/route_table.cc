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

constexpr Route kRoutes[] = {
    {Verb::post, "/models/{id}/inference", Place::kEventThread, BodyUse::kTensors, &Infer},

    {Verb::get, "/health", Place::kEventThread, BodyUse::kIgnored, &Answer<GetHealth>},
    {Verb::get, "/health/live", Place::kEventThread, BodyUse::kIgnored, &Answer<GetLiveness>},
    {Verb::get, "/health/ready", Place::kEventThread, BodyUse::kIgnored, &Answer<GetReadiness>},
    {Verb::get, "/stats", Place::kWorker, BodyUse::kIgnored, &Answer<GetStats>},
    {Verb::get, "/metrics", Place::kWorker, BodyUse::kIgnored, &Answer<GetMetrics>},

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
};

}  // namespace

std::span<const Route> Routes() { return kRoutes; }

}  // namespace mlos::api::http
