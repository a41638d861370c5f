// SPDX-License-Identifier: MIT
#pragma once

#include <memory>

#include "api/http/wire/message.h"
#include "base/result.h"

// What the routes do. Those that give a Reply answer before they return; the table of routes wraps
// them.
namespace mlos::api::http {

class Call;

Result<wire::Reply> GetHealth(Call& call);
Result<wire::Reply> GetLiveness(Call& call);
Result<wire::Reply> GetReadiness(Call& call);
Result<wire::Reply> GetStats(Call& call);
Result<wire::Reply> GetMetrics(Call& call);
Result<wire::Reply> GetOpenApi(Call& call);

Result<wire::Reply> RegisterPlugin(Call& call);
Result<wire::Reply> ListPlugins(Call& call);
Result<wire::Reply> GetPlugin(Call& call);
Result<wire::Reply> RemovePlugin(Call& call);

Result<wire::Reply> RegisterModel(Call& call);
Result<wire::Reply> ListModels(Call& call);
Result<wire::Reply> GetModel(Call& call);
Result<wire::Reply> RemoveModel(Call& call);
Result<wire::Reply> LoadModel(Call& call);
Result<wire::Reply> UnloadModel(Call& call);

/// Answers when the model has.
void Infer(const std::shared_ptr<Call>& call);

// The Open Inference Protocol and Triton's extensions of it (docs/OPEN-INFERENCE-PROTOCOL.md).
Result<wire::Reply> GetServerMetadata(Call& call);
Result<wire::Reply> GetServerLive(Call& call);
Result<wire::Reply> GetServerReady(Call& call);
Result<wire::Reply> GetModelMetadata(Call& call);
Result<wire::Reply> GetModelReady(Call& call);
Result<wire::Reply> GetModelConfig(Call& call);
Result<wire::Reply> GetModelStatistics(Call& call);
Result<wire::Reply> GetAllStatistics(Call& call);
Result<wire::Reply> GetRepositoryIndex(Call& call);
Result<wire::Reply> LoadFromRepository(Call& call);
Result<wire::Reply> UnloadFromRepository(Call& call);
/// Refuses: nothing of a client's memory is named over the network.
Result<wire::Reply> RefuseSharedMemory(Call& call);

/// Answer when the model has.
void OipInfer(const std::shared_ptr<Call>& call);
void OipGenerate(const std::shared_ptr<Call>& call);
/// The same, with an event for each answer of the model as it comes.
void OipGenerateStream(const std::shared_ptr<Call>& call);

}  // namespace mlos::api::http
