// SPDX-License-Identifier: MIT
#include "axon/cli/commands.h"
#include "axon/cli/common.h"
#include "axon/ui/format.h"

namespace axon::cli {
namespace {

using mlos::Status;
using store::InstalledModel;
using Models = std::vector<InstalledModel>;

/// The row of a model whose manifest may be damaged.
struct Summary {
  std::uint64_t size_bytes = 0;
  std::string state;
};

Summary Summarize(const InstalledModel& model) {
  const auto parsed = ReadInstalledManifest(model);
  if (!parsed.ok()) return {.state = "damaged"};
  return {BytesOf(parsed->manifest), parsed->manifest.verified() ? "verified" : "unverified"};
}

void ShowNames(Context& context, const Models& models) {
  std::string names;
  for (const InstalledModel& model : models) names += model.id.text() + "\n";
  context.console.Data(names);
}

/// The array the existing tool prints under `list --format json`.
void ShowLegacyJson(Context& context, const Models& models) {
  ui::JsonWriter json;
  json.BeginArray();
  for (const InstalledModel& model : models) {
    json.BeginObject()
        .Field("Namespace", model.id.name_space())
        .Field("Name", model.id.name())
        .Field("Version", model.id.version())
        .Field("Path", model.directory.string())
        .EndObject();
  }
  context.console.Data(json.EndArray());
}

void ShowJson(Context& context, const Models& models) {
  ui::JsonWriter json;
  json.BeginArray();
  for (const InstalledModel& model : models) {
    const Summary summary = Summarize(model);
    json.BeginObject()
        .Field("model_id", model.id.text())
        .Field("namespace", model.id.name_space())
        .Field("name", model.id.name())
        .Field("version", model.id.version())
        .Field("path", model.directory.string())
        .Field("size_bytes", summary.size_bytes)
        .Field("state", summary.state)
        .EndObject();
  }
  context.console.Data(json.EndArray());
}

void ShowTable(Context& context, const Models& models) {
  if (models.empty()) return context.console.Note("no model is installed");
  std::vector<std::vector<std::string>> rows = {{"MODEL", "SIZE", "STATE"}};
  for (const InstalledModel& model : models) {
    const Summary summary = Summarize(model);
    rows.push_back({model.id.text(), ui::FormatBytes(summary.size_bytes), summary.state});
  }
  context.console.Data(ui::FormatTable(rows));
}

Outcome List(Context& context, const std::string& format) {
  const Models models = MLOS_TRY(OpenStore(context).List());
  if (context.console.json()) {
    ShowJson(context, models);
  } else if (format == "json") {
    ShowLegacyJson(context, models);
  } else if (format == "names") {
    ShowNames(context, models);
  } else {
    ShowTable(context, models);
  }
  return mlos::OkStatus();
}

}  // namespace

void AddList(Commands& commands) {
  auto format = std::make_shared<std::string>("default");
  commands
      .Add("list", "Lists the installed models",
           [format](Context& context) { return List(context, *format); })
      .Option("-f,--format", *format, "default, names or json (the form of earlier tools)")
      .OneOf({"default", "names", "json"});
}

}  // namespace axon::cli
