// SPDX-License-Identifier: MIT
#pragma once

#include <memory>

#include "api/http/wire/message.h"
#include "base/result.h"

namespace mlos::api::http::call {
class Call;
}

// What the routes of the Open Inference Protocol do, and those of Triton's extensions of it
// (docs/OPEN-INFERENCE-PROTOCOL.md). Those that give a Reply answer before they return.
namespace mlos::api::http::oip {

Result<wire::Reply> GetServerMetadata(call::Call& call);
Result<wire::Reply> GetServerLive(call::Call& call);
Result<wire::Reply> GetServerReady(call::Call& call);
Result<wire::Reply> GetModelMetadata(call::Call& call);
Result<wire::Reply> GetModelReady(call::Call& call);
Result<wire::Reply> GetModelConfig(call::Call& call);
Result<wire::Reply> GetModelStatistics(call::Call& call);
Result<wire::Reply> GetAllStatistics(call::Call& call);
Result<wire::Reply> GetRepositoryIndex(call::Call& call);
Result<wire::Reply> LoadFromRepository(call::Call& call);
Result<wire::Reply> UnloadFromRepository(call::Call& call);
/// Refuses: nothing of a client's memory is named over the network.
Result<wire::Reply> RefuseSharedMemory(call::Call& call);

/// Answer when the model has.
void Infer(const std::shared_ptr<call::Call>& call);
void Generate(const std::shared_ptr<call::Call>& call);
/// The same, with an event for each answer of the model as it comes.
void GenerateStream(const std::shared_ptr<call::Call>& call);

}  // namespace mlos::api::http::oip
