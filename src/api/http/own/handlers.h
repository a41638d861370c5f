// SPDX-License-Identifier: MIT
#pragma once

#include <memory>

#include "api/http/wire/message.h"
#include "base/result.h"

namespace mlos::api::http::call {
class Call;
}

// What MLOS's own routes do. Those that give a Reply answer before they return.
namespace mlos::api::http::own {

Result<wire::Reply> GetHealth(call::Call& call);
Result<wire::Reply> GetLiveness(call::Call& call);
Result<wire::Reply> GetReadiness(call::Call& call);
Result<wire::Reply> GetStats(call::Call& call);
Result<wire::Reply> GetMetrics(call::Call& call);
Result<wire::Reply> GetOpenApi(call::Call& call);

Result<wire::Reply> RegisterPlugin(call::Call& call);
Result<wire::Reply> ListPlugins(call::Call& call);
Result<wire::Reply> GetPlugin(call::Call& call);
Result<wire::Reply> RemovePlugin(call::Call& call);

Result<wire::Reply> ListModels(call::Call& call);
Result<wire::Reply> GetModel(call::Call& call);
Result<wire::Reply> RemoveModel(call::Call& call);
Result<wire::Reply> LoadModel(call::Call& call);
Result<wire::Reply> UnloadModel(call::Call& call);

/// Answers when the model is registered.
void RegisterModel(const std::shared_ptr<call::Call>& call);
/// Answers when the model has.
void Infer(const std::shared_ptr<call::Call>& call);

}  // namespace mlos::api::http::own
