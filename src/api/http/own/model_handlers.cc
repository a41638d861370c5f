// SPDX-License-Identifier: MIT
#include <string>
#include <utility>
#include <vector>

#include "api/document/model_document.h"
#include "api/door/registration.h"
#include "api/http/call/call.h"
#include "api/http/own/handlers.h"
#include "api/http/wire/document_reply.h"
#include "json/document.h"

namespace mlos::api::http::own {
namespace {

using call::Call;
using catalog::ModelInfo;
using json::JsonWriter;

/// The reply to a request that changed the state of a model.
Result<wire::Reply> StateReply(Call& call, const ModelInfo& model, std::string_view message) {
  return wire::DocumentReply(call.budget(), [&](JsonWriter& writer) {
    document::WriteModelState(writer, model, message);
  });
}

Result<catalog::RegisterModelRequest> ReadRegistration(Call& call) {
  const json::Document body = MLOS_TRY(json::Document::Parse(call.body()));
  call.set_model_id(MLOS_TRY(body.Text("model_id")));
  return document::ReadModelRequest(body);
}

Result<wire::Reply> RegisteredReply(Call& call,
                                    const Result<catalog::RegisterModelOutcome>& outcome) {
  if (!outcome.ok()) return outcome.status();
  return wire::DocumentReply(
      call.budget(), [&](JsonWriter& writer) { document::WriteRegistered(writer, *outcome); });
}

}  // namespace

void RegisterModel(const std::shared_ptr<Call>& call) {
  Result<catalog::RegisterModelRequest> request = ReadRegistration(*call);
  if (!request.ok()) return call->Finish(std::move(request).status());
  door::RegisterModel(call->service().lobby(), std::move(request).value(), call->deadline(),
                      [call](const Result<catalog::RegisterModelOutcome>& outcome) {
                        call->Finish(RegisteredReply(*call, outcome));
                      });
}

Result<wire::Reply> ListModels(Call& call) {
  const std::vector<ModelInfo> models = call.runtime().ListModels();
  return wire::DocumentReply(call.budget(),
                             [&](JsonWriter& writer) { document::WriteModels(writer, models); });
}

Result<wire::Reply> GetModel(Call& call) {
  const ModelInfo model = MLOS_TRY(call.runtime().GetModel(call.id()));
  return wire::DocumentReply(call.budget(),
                             [&](JsonWriter& writer) { document::WriteModel(writer, model); });
}

Result<wire::Reply> RemoveModel(Call& call) {
  MLOS_TRY(call.runtime().RemoveModel(call.id(), call.deadline()));
  return wire::DocumentReply(
      call.budget(), [&](JsonWriter& writer) { document::WriteModelRemoved(writer, call.id()); });
}

Result<wire::Reply> LoadModel(Call& call) {
  return StateReply(call, MLOS_TRY(call.runtime().LoadModel(call.id(), call.deadline())),
                    "Model loaded");
}

Result<wire::Reply> UnloadModel(Call& call) {
  return StateReply(call, MLOS_TRY(call.runtime().UnloadModel(call.id(), call.deadline())),
                    "Model unloaded");
}

}  // namespace mlos::api::http::own
