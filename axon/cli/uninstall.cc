// SPDX-License-Identifier: MIT
#include "axon/cli/commands.h"
#include "axon/cli/common.h"
#include "axon/core/core_client.h"
#include "axon/ui/hint.h"

namespace axon::cli {
namespace {

using mlos::Reason;
using mlos::Result;
using mlos::Status;
using store::InstalledModel;

struct UninstallOptions {
  std::string model;
  bool force = false;
};

/// MODEL_IN_USE. NETWORK if Core does not answer: it may have the models all the same. SERVER_ERROR
/// if its answer does not say.
Status CheckNotRegistered(Context& context, const std::vector<InstalledModel>& models) {
  constexpr std::chrono::seconds kTimeout(5);
  core::CoreClient core(context.config.Endpoint("core.endpoint"), context.cancel, kTimeout);
  for (const InstalledModel& model : models) {
    const Result<bool> registered = core.Has(model.id.text());
    if (!registered.ok() && registered.status().reason() == Reason::kNetwork) {
      return ui::WithHint(registered.status(),
                          "it may have " + model.id.text() +
                              " registered; start it, or uninstall all the same with --force");
    }
    if (!registered.ok()) return registered.status();
    if (!*registered) continue;
    return ui::WithHint({Reason::kModelInUse, model.id.text() + " is registered with MLOS Core"},
                        "DELETE /models/{id} unregisters it; --force uninstalls it anyway");
  }
  return mlos::OkStatus();
}

void Show(Context& context, const std::vector<InstalledModel>& removed) {
  ui::JsonWriter json;
  json.BeginObject().Field("status", "uninstalled").Key("models").BeginArray();
  std::string names;
  for (const InstalledModel& model : removed) {
    json.Value(std::string_view(model.id.text()));
    names += model.id.text() + "\n";
  }
  json.EndArray().EndObject();
  if (context.console.json()) {
    context.console.Data(json);
  } else {
    context.console.Data(names);
  }
}

Outcome Uninstall(Context& context, const UninstallOptions& options) {
  const store::Store store = OpenStore(context);
  const std::vector<InstalledModel> models = MLOS_TRY(FindInstalled(store, options.model));
  if (!options.force) {
    const Status free = CheckNotRegistered(context, models);
    const bool unknown = free.reason() == Reason::kServerError || free.reason() == Reason::kNetwork;
    if (!free.ok() && unknown) return {free, ui::ExitCode::kCore};
    MLOS_TRY(free);
  }
  std::vector<InstalledModel> removed;
  for (const InstalledModel& model : models) {
    const Status status = store.Remove(model);
    if (!status.ok()) {
      Show(context, removed);
      return Status(status).WithContext(model.id.text());
    }
    removed.push_back(model);
  }
  Show(context, removed);
  context.console.Note("its files stay in the store until `axon cache clean`");
  return mlos::OkStatus();
}

}  // namespace

void AddUninstall(Commands& commands) {
  auto options = std::make_shared<UninstallOptions>();
  commands
      .Add("uninstall", "Removes a version of a model, or all of them",
           [options](Context& context) { return Uninstall(context, *options); })
      .Argument("model", options->model, "namespace/name[@version]")
      .Setting("--core", "core.endpoint")
      .Flag("--force", options->force,
            "Even if MLOS Core has the model registered, or does not answer");
}

}  // namespace axon::cli
