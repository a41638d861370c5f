// SPDX-License-Identifier: MIT
#include "axon/cli/commands.h"
#include "axon/cli/common.h"
#include "axon/store/usage.h"
#include "axon/ui/format.h"

namespace axon::cli {
namespace {

namespace fs = std::filesystem;
using mlos::Reason;
using mlos::Status;
using store::CleanReport;
using store::Leftover;
using store::Usage;

Outcome Stats(Context& context) {
  const store::Store store = OpenStore(context);
  const Usage usage = MLOS_TRY(store::MeasureUsage(store.layout()));
  if (context.console.json()) {
    ui::JsonWriter json;
    json.BeginObject()
        .Field("path", store.layout().root.string())
        .Field("models", usage.models)
        .Field("model_bytes", usage.model_bytes)
        .Field("objects", usage.objects)
        .Field("object_bytes", usage.object_bytes)
        .Field("unused_objects", usage.unused_objects)
        .Field("unused_bytes", usage.unused_bytes)
        .Field("partial_downloads", usage.partial_downloads)
        .Field("partial_bytes", usage.partial_bytes)
        .Field("free_bytes", usage.free_bytes)
        .EndObject();
    context.console.Data(json);
    return mlos::OkStatus();
  }
  const auto count = [](std::uint64_t number) { return std::to_string(number); };
  context.console.Data(ui::FormatTable(
      {{"path", store.layout().root.string()},
       {"models", count(usage.models), ui::FormatBytes(usage.model_bytes)},
       {"distinct files", count(usage.objects), ui::FormatBytes(usage.object_bytes)},
       {"unused files", count(usage.unused_objects), ui::FormatBytes(usage.unused_bytes)},
       {"partial downloads", count(usage.partial_downloads), ui::FormatBytes(usage.partial_bytes)},
       {"free on the disk", "", ui::FormatBytes(usage.free_bytes)}}));
  return mlos::OkStatus();
}

/// Every installed file with the model it belongs to.
Outcome ListCache(Context& context) {
  ui::JsonWriter json;
  json.BeginArray();
  std::vector<std::vector<std::string>> rows;
  for (const auto& model : MLOS_TRY(OpenStore(context).List())) {
    const auto parsed = ReadInstalledManifest(model);
    if (!parsed.ok()) {
      context.console.Warn(parsed.status().message());
      continue;
    }
    for (const auto& file : parsed->manifest.format.files) {
      const std::string digest = file.sha256.has_value() ? file.sha256->Hex() : "";
      rows.push_back({digest.substr(0, 16), ui::FormatBytes(file.size_bytes), model.id.text(),
                      ui::Printable(file.path)});
      json.BeginObject().Field("model_id", model.id.text()).Field("path", file.path);
      json.Field("size_bytes", file.size_bytes).Field("sha256", digest).EndObject();
    }
  }
  json.EndArray();
  if (context.console.json()) {
    context.console.Data(json);
  } else {
    context.console.Data(ui::FormatTable(rows));
  }
  return mlos::OkStatus();
}

void ShowCleaned(Context& context, const CleanReport& report, bool dry_run) {
  const fs::path root = OpenStore(context).layout().root;
  ui::JsonWriter json;
  json.BeginObject().Field("dry_run", dry_run).Field("removed_bytes", report.removed_bytes);
  json.Key("removed").BeginArray();
  std::vector<std::vector<std::string>> rows;
  for (const Leftover& leftover : report.removed) {
    const std::string path = leftover.path.lexically_relative(root).string();
    json.BeginObject().Field("kind", ToString(leftover.kind)).Field("path", path);
    json.Field("size_bytes", leftover.size_bytes).EndObject();
    rows.push_back(
        {std::string(ToString(leftover.kind)), ui::FormatBytes(leftover.size_bytes), path});
  }
  json.EndArray().EndObject();
  if (context.console.json()) {
    context.console.Data(json);
    return;
  }
  context.console.Data(ui::FormatTable(rows));
  context.console.Note((dry_run ? "would free " : "freed ") +
                       ui::FormatBytes(report.removed_bytes));
}

Outcome Clean(Context& context, bool dry_run) {
  const store::Store store = OpenStore(context);
  const CleanReport report = MLOS_TRY(store::Clean(store.layout(), dry_run));
  ShowCleaned(context, report, dry_run);
  for (const std::string& problem : report.problems) context.console.Warn(problem);
  if (report.problems.empty()) return mlos::OkStatus();
  return Status(Reason::kIoError,
                std::to_string(report.problems.size()) + " leftovers could not be removed");
}

}  // namespace

void AddCache(Commands& commands) {
  Command group = commands.AddGroup("cache", "Shows and cleans what the store holds");
  commands.AddTo(group, "list", "Lists every installed file with its digest", ListCache);
  commands.AddTo(group, "stats", "Counts models, files and bytes", Stats);
  auto dry_run = std::make_shared<bool>(false);
  commands
      .AddTo(group, "clean", "Removes files that no model uses, partial downloads and leftovers",
             [dry_run](Context& context) { return Clean(context, *dry_run); })
      .Flag("--dry-run", *dry_run, "Only show what would be removed");
}

}  // namespace axon::cli
