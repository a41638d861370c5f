// SPDX-License-Identifier: MIT
#include <string>
#include <string_view>
#include <utility>

#include "api/http/call/call.h"
#include "api/http/oip/handlers.h"
#include "api/http/oip/messages/metadata.h"
#include "api/http/oip/messages/repository.h"
#include "api/http/oip/messages/statistics.h"
#include "api/http/wire/document_reply.h"

namespace mlos::api::http::oip {
namespace {

using call::Call;

/// The model that the path names, by its id, an alias, or a version besides.
Result<catalog::ModelInfo> FindModel(Call& call) {
  const std::string model_id = MLOS_TRY(call.runtime().ResolveModel(call.id(), call.version()));
  return call.runtime().GetModel(model_id);
}

/// What a health check answers where it is good. KServe's clients read it; Triton has no body.
Result<wire::Reply> Good(Call& call, std::string_view what) {
  return wire::DocumentReply(call.budget(),
                             [&](json::JsonWriter& writer) { writer.Flag(what, true); });
}

}  // namespace

Result<wire::Reply> GetServerMetadata(Call& call) {
  return messages::ServerMetadata(call.service().lobby().version(), call.budget());
}

Result<wire::Reply> GetServerLive(Call& call) { return Good(call, "live"); }

Result<wire::Reply> GetServerReady(Call& call) {
  if (call.runtime().ready()) return Good(call, "ready");
  return Status(Reason::kDraining, "Core is starting or shutting down");
}

Result<wire::Reply> GetModelMetadata(Call& call) {
  return messages::ModelMetadata(MLOS_TRY(FindModel(call)), call.budget());
}

Result<wire::Reply> GetModelReady(Call& call) {
  const catalog::ModelInfo model = MLOS_TRY(FindModel(call));
  if (model.state == catalog::ModelState::kLoaded) {
    return wire::DocumentReply(call.budget(), [&](json::JsonWriter& writer) {
      writer.Text("name", model.model_id);
      writer.Flag("ready", true);
    });
  }
  const std::string name = "model '" + model.model_id + "' ";
  if (catalog::IsComing(model.state, model.autoload)) {
    return Status(Reason::kModelLoading, name + "is being loaded").WithField("model_id");
  }
  return Status(Reason::kModelNotLoaded, name + "is " + std::string(ToString(model.state)))
      .WithField("model_id");
}

Result<wire::Reply> GetModelConfig(Call& call) {
  return messages::ModelConfig(MLOS_TRY(FindModel(call)), call.budget());
}

Result<wire::Reply> GetModelStatistics(Call& call) {
  const catalog::ModelInfo model = MLOS_TRY(FindModel(call));
  return messages::Statistics({model}, call.runtime().stats().Models(), call.budget());
}

Result<wire::Reply> GetAllStatistics(Call& call) {
  return messages::Statistics(call.runtime().ListModels(), call.runtime().stats().Models(),
                              call.budget());
}

Result<wire::Reply> GetRepositoryIndex(Call& call) {
  return messages::RepositoryIndex(call.body(), call.runtime().ListModels(), call.budget());
}

Result<wire::Reply> LoadFromRepository(Call& call) {
  MLOS_TRY(messages::CheckLoadRequest(call.body()));
  MLOS_TRY(
      call.runtime().LoadModel(MLOS_TRY(call.runtime().ResolveModel(call.id())), call.deadline()));
  return wire::Reply();
}

Result<wire::Reply> UnloadFromRepository(Call& call) {
  MLOS_TRY(messages::CheckUnloadRequest(call.body()));
  MLOS_TRY(call.runtime().UnloadModel(MLOS_TRY(call.runtime().ResolveModel(call.id())),
                                      call.deadline()));
  return wire::Reply();
}

Result<wire::Reply> RefuseSharedMemory(Call&) {
  return Status(Reason::kUnimplemented,
                "shared memory is not offered over the network; a local process passes its memory "
                "through the Unix socket (docs/IPC-PROTOCOL.md)");
}

}  // namespace mlos::api::http::oip
