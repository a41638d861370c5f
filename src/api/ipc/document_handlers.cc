// SPDX-License-Identifier: MIT
#include <cstring>
#include <string>
#include <utility>
#include <vector>

#include "api/document/health_document.h"
#include "api/document/model_document.h"
#include "api/document/plugin_document.h"
#include "api/door/registration.h"
#include "api/ipc/operations.h"
#include "api/ipc/wire/frame.h"
#include "base/model_id.h"

// The operations whose requests and answers are the JSON of the HTTP door.
namespace mlos::api::ipc {
namespace {

using json::JsonWriter;

constexpr std::size_t kDocumentBytesMax = 1 << 20;

/// An answer with the JSON object whose members `write_members` writes.
template <typename WriteMembers>
wire::ByteBuffer Document(Request& request, WriteMembers write_members) {
  wire::ByteBuffer frame = request.NewFrame();
  wire::StartFrame(frame, wire::FrameType::kDocument, request.id());
  JsonWriter writer(frame);
  writer.StartObject();
  write_members(writer);
  writer.EndObject();
  return frame;
}

Result<json::Document> Parse(const Request& request) {
  if (request.body().size() > kDocumentBytesMax) {
    return Status(Reason::kPayloadTooLarge, "a document has at most 1 MiB");
  }
  wire::ByteBuffer body;
  body.Append(request.body());
  if (!body.Pad(net::kBodyPaddingBytes)) return body.status();
  return json::Document::Parse(body);
}

Result<std::string> ReadModelId(const Request& request) {
  const std::string_view id = request.body();
  MLOS_TRY(ModelId::Parse(id));
  return std::string(id);
}

Result<catalog::RegisterModelRequest> ReadRegistration(const Request& request) {
  return document::ReadModelRequest(MLOS_TRY(Parse(request)));
}

Result<wire::ByteBuffer> ModelState(Request& request, const catalog::ModelInfo& model,
                                    std::string_view message) {
  return Document(request,
                  [&](JsonWriter& writer) { document::WriteModelState(writer, model, message); });
}

}  // namespace

Result<wire::ByteBuffer> Health(Request& request) {
  const door::Lobby& lobby = request.service().lobby();
  return Document(request, [&](JsonWriter& writer) {
    document::WriteHealth(writer, lobby.version(), lobby.doors());
  });
}

Result<wire::ByteBuffer> Readiness(Request& request) {
  const bool ready = request.runtime().ready();
  return Document(
      request, [&](JsonWriter& writer) { writer.Text("status", ready ? "ready" : "not_ready"); });
}

void RegisterModel(const std::shared_ptr<Request>& request) {
  Result<catalog::RegisterModelRequest> asked = ReadRegistration(*request);
  if (!asked.ok()) return request->Finish(std::move(asked).status());
  door::RegisterModel(request->service().lobby(), std::move(asked).value(), request->DeadlineOf(0),
                      [request](const Result<catalog::RegisterModelOutcome>& outcome) {
                        if (!outcome.ok()) return request->Finish(outcome.status());
                        request->Finish(Document(*request, [&](JsonWriter& writer) {
                          document::WriteRegistered(writer, *outcome);
                        }));
                      });
}

Result<wire::ByteBuffer> ListModels(Request& request) {
  const auto models = request.runtime().ListModels();
  return Document(request, [&](JsonWriter& writer) { document::WriteModels(writer, models); });
}

Result<wire::ByteBuffer> GetModel(Request& request) {
  const std::string id = MLOS_TRY(ReadModelId(request));
  const catalog::ModelInfo model = MLOS_TRY(request.runtime().GetModel(id));
  return Document(request, [&](JsonWriter& writer) { document::WriteModel(writer, model); });
}

Result<wire::ByteBuffer> LoadModel(Request& request) {
  const std::string id = MLOS_TRY(ReadModelId(request));
  return ModelState(request, MLOS_TRY(request.runtime().LoadModel(id, request.DeadlineOf(0))),
                    "Model loaded");
}

Result<wire::ByteBuffer> UnloadModel(Request& request) {
  const std::string id = MLOS_TRY(ReadModelId(request));
  return ModelState(request, MLOS_TRY(request.runtime().UnloadModel(id, request.DeadlineOf(0))),
                    "Model unloaded");
}

Result<wire::ByteBuffer> RemoveModel(Request& request) {
  const std::string id = MLOS_TRY(ReadModelId(request));
  MLOS_TRY(request.runtime().RemoveModel(id, request.DeadlineOf(0)));
  return Document(request, [&](JsonWriter& writer) { document::WriteModelRemoved(writer, id); });
}

Result<wire::ByteBuffer> RegisterPlugin(Request& request) {
  const json::Document body = MLOS_TRY(Parse(request));
  const catalog::PluginInfo plugin =
      MLOS_TRY(request.runtime().RegisterPlugin(MLOS_TRY(document::ReadPluginRequest(body))));
  return Document(request,
                  [&](JsonWriter& writer) { document::WritePluginRegistered(writer, plugin); });
}

Result<wire::ByteBuffer> ListPlugins(Request& request) {
  const auto plugins = request.runtime().ListPlugins();
  return Document(request, [&](JsonWriter& writer) { document::WritePlugins(writer, plugins); });
}

Result<wire::ByteBuffer> GetPlugin(Request& request) {
  const catalog::PluginInfo plugin = MLOS_TRY(request.runtime().GetPlugin(request.body()));
  return Document(request, [&](JsonWriter& writer) { document::WritePlugin(writer, plugin); });
}

Result<wire::ByteBuffer> RemovePlugin(Request& request) {
  MLOS_TRY(request.runtime().RemovePlugin(request.body()));
  return Document(
      request, [&](JsonWriter& writer) { document::WritePluginRemoved(writer, request.body()); });
}

}  // namespace mlos::api::ipc
