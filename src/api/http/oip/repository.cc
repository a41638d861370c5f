// SPDX-License-Identifier: MIT
#include "api/http/oip/repository.h"

#include <string>

#include "api/http/wire/document_reply.h"
#include "json/document.h"

namespace mlos::api::http::oip {
namespace {

using catalog::ModelState;
using json::JsonWriter;

std::string_view StateName(ModelState state) {
  switch (state) {
    case ModelState::kLoaded:
      return "READY";
    case ModelState::kLoading:
      return "LOADING";
    default:
      return "UNAVAILABLE";
  }
}

/// Why a model does not answer; empty where it does.
std::string_view ReasonOf(const catalog::ModelInfo& model) {
  if (model.state == ModelState::kLoaded || model.state == ModelState::kLoading) return "";
  return model.error.ok() ? ToString(model.state) : model.error.message();
}

void WriteEntry(JsonWriter& writer, const catalog::ModelInfo& model) {
  writer.StartObject();
  writer.Text("name", model.model_id);
  writer.Text("version", model.version);
  writer.Text("state", StateName(model.state));
  writer.Text("reason", ReasonOf(model));
  writer.EndObject();
}

/// The names of the parameters in a body that may be empty.
Result<std::vector<std::string>> ParameterNames(const net::ByteBuffer& body) {
  if (body.empty()) return std::vector<std::string>();
  const json::Document document = MLOS_TRY(json::Document::Parse(body));
  return document.MemberNames("parameters");
}

}  // namespace

Result<wire::Reply> RepositoryIndex(const net::ByteBuffer& body,
                                    const std::vector<catalog::ModelInfo>& models,
                                    resource::ByteBudget& budget) {
  bool ready_only = false;
  if (!body.empty()) {
    const json::Document document = MLOS_TRY(json::Document::Parse(body));
    ready_only = MLOS_TRY(document.Flag("ready", false));
  }
  return wire::ValueReply(budget, [&](JsonWriter& writer) {
    writer.StartArray();
    for (const catalog::ModelInfo& model : models) {
      if (!ready_only || model.state == ModelState::kLoaded) WriteEntry(writer, model);
    }
    writer.EndArray();
  });
}

Status CheckLoadRequest(const net::ByteBuffer& body) {
  for (const std::string& name : MLOS_TRY(ParameterNames(body))) {
    return Status(Reason::kUnimplemented,
                  "models are loaded as they were registered, without parameters; register the "
                  "model anew to change it")
        .WithField("parameters." + name);
  }
  return OkStatus();
}

Status CheckUnloadRequest(const net::ByteBuffer& body) {
  for (const std::string& name : MLOS_TRY(ParameterNames(body))) {
    if (name == "unload_dependents") continue;
    return Status(Reason::kUnimplemented, "the only parameter is unload_dependents")
        .WithField("parameters." + name);
  }
  return OkStatus();
}

}  // namespace mlos::api::http::oip
