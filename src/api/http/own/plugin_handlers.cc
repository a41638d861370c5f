// SPDX-License-Identifier: MIT
#include <string>
#include <vector>

#include "api/document/plugin_document.h"
#include "api/http/call/call.h"
#include "api/http/own/handlers.h"
#include "api/http/wire/document_reply.h"
#include "json/document.h"

namespace mlos::api::http::own {

using call::Call;
using catalog::PluginInfo;
using json::JsonWriter;

Result<wire::Reply> RegisterPlugin(Call& call) {
  const catalog::RegisterPluginRequest request =
      MLOS_TRY(document::ReadPluginRequest(MLOS_TRY(json::Document::Parse(call.body()))));
  const PluginInfo plugin = MLOS_TRY(call.runtime().RegisterPlugin(request));
  return wire::DocumentReply(
      call.budget(), [&](JsonWriter& writer) { document::WritePluginRegistered(writer, plugin); });
}

Result<wire::Reply> ListPlugins(Call& call) {
  const std::vector<PluginInfo> plugins = call.runtime().ListPlugins();
  return wire::DocumentReply(call.budget(),
                             [&](JsonWriter& writer) { document::WritePlugins(writer, plugins); });
}

Result<wire::Reply> GetPlugin(Call& call) {
  const PluginInfo plugin = MLOS_TRY(call.runtime().GetPlugin(call.id()));
  return wire::DocumentReply(call.budget(),
                             [&](JsonWriter& writer) { document::WritePlugin(writer, plugin); });
}

Result<wire::Reply> RemovePlugin(Call& call) {
  MLOS_TRY(call.runtime().RemovePlugin(call.id()));
  return wire::DocumentReply(
      call.budget(), [&](JsonWriter& writer) { document::WritePluginRemoved(writer, call.id()); });
}

}  // namespace mlos::api::http::own
