// SPDX-License-Identifier: MIT
#include "axon/cli/commands.h"
#include "axon/cli/common.h"
#include "axon/core/core_client.h"

namespace axon::cli {
namespace {

namespace fs = std::filesystem;
namespace package = mlos::package;
using mlos::Reason;
using mlos::Result;
using store::InstalledModel;

core::Registration RegistrationOf(const InstalledModel& model, const package::Manifest& manifest) {
  const fs::path directory = fs::absolute(model.directory);
  const bool known = !manifest.format.execution_format.empty();
  return {.model_id = model.id.text(),
          .name = std::string(model.id.name()),
          .framework = manifest.framework.name,
          .execution_format = known ? manifest.format.execution_format : manifest.format.type,
          .path = directory.string(),
          .description = manifest.metadata.description,
          .manifest_path = (directory / package::kManifestFileName).string()};
}

/// A package that an administrator published on this machine comes before the user's own.
Result<InstalledModel> FindPackage(const Context& context, const std::string& name) {
  const store::Store published(context.config.published());
  auto found = FindOneInstalled(published, name);
  const bool missing = !found.ok() && found.status().reason() == Reason::kModelNotFound;
  return missing ? FindOneInstalled(OpenStore(context), name) : std::move(found);
}

Outcome Register(Context& context, const std::string& name) {
  const InstalledModel model = MLOS_TRY(FindPackage(context, name));
  const package::Manifest manifest = MLOS_TRY(ReadInstalledManifest(model)).manifest;
  // Core loads the model before it answers.
  constexpr std::chrono::seconds kTimeout(600);
  core::CoreClient core(context.config.Endpoint("core.endpoint"), context.cancel, kTimeout);
  const Result<std::string> message = core.Register(RegistrationOf(model, manifest));
  if (!message.ok() && message.status().reason() == Reason::kCancelled) {
    return message.status();
  }
  if (!message.ok()) return {message.status(), ui::ExitCode::kCore};
  context.console.Note(*message);
  if (!context.console.json()) {
    context.console.Data(model.id.text());
    return mlos::OkStatus();
  }
  ui::JsonWriter json;
  json.BeginObject().Field("model_id", model.id.text()).Field("status", "registered");
  context.console.Data(json.Field("message", *message).EndObject());
  return mlos::OkStatus();
}

}  // namespace

void AddRegister(Commands& commands) {
  auto model = std::make_shared<std::string>();
  commands
      .Add("register", "Hands an installed model to the running MLOS Core",
           [model](Context& context) { return Register(context, *model); })
      .Argument("model", *model, "namespace/name[@version]")
      .Setting("--core", "core.endpoint");
}

}  // namespace axon::cli
