// SPDX-License-Identifier: MIT
#include "axon/cli/commands.h"
#include "axon/cli/versions.h"
#include "axon/core/core_client.h"
#include "axon/ui/format.h"

namespace axon::cli {
namespace {

Outcome ShowVersion(Context& context) {
  constexpr std::chrono::seconds kTimeout(2);
  core::CoreClient core(context.config.Endpoint("core.endpoint"), context.cancel, kTimeout);
  const mlos::Result<std::string> running = core.Version();
  if (context.console.json()) {
    ui::JsonWriter json;
    json.BeginObject()
        .Field("axon", AxonVersion())
        .Field("core", CoreVersion())
        .Field("smi", SmiVersion())
        .Key("running_core");
    if (running.ok()) {
      json.Value(std::string_view(*running));
    } else {
      json.Null();
    }
    context.console.Data(json.EndObject());
    return mlos::OkStatus();
  }
  context.console.Data(ui::FormatTable({{"axon", AxonVersion()},
                                        {"MLOS Core", CoreVersion()},
                                        {"SMI", SmiVersion()},
                                        {"running Core", running.ok() ? *running : "none"}}));
  return mlos::OkStatus();
}

}  // namespace

void AddVersion(Commands& commands) {
  commands.Add("version",
               "Shows the versions of axon, of MLOS Core and of the Standard Model Interface",
               ShowVersion);
}

}  // namespace axon::cli
