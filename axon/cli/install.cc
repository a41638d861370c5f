// SPDX-License-Identifier: MIT
#include "axon/cli/commands.h"
#include "axon/cli/common.h"
#include "axon/install/import.h"
#include "axon/install/installer.h"
#include "axon/install/plan.h"
#include "axon/store/install_lock.h"
#include "axon/ui/format.h"
#include "axon/ui/hint.h"

namespace axon::cli {
namespace {

namespace package = mlos::package;
using install::Plan;
using mlos::Reason;
using mlos::Result;
using mlos::Status;
using store::InstalledModel;

struct InstallOptions {
  std::string model;
  std::string format = "auto";
  std::string file;
  std::string output;
  bool dry_run = false;
  bool no_wait = false;
  bool force = false;
};

Status CheckFormat(const std::string& format) {
  if (format == "auto" || format == "onnx") return mlos::OkStatus();
  for (const std::string later : {"pytorch", "gguf", "native"}) {
    if (format != later) continue;
    return {Reason::kUnimplemented,
            "--format " + format +
                ": this version installs ONNX graphs only; other formats come later"};
  }
  return {Reason::kUsage, "--format " + format + ": expected auto or onnx"};
}

/// An existing file, or a name that can only mean a file.
bool IsArchive(const std::string& model) {
  std::error_code error;
  return model.ends_with(".axon") || model.ends_with(".axon.gz") || model.ends_with(".axon.zst") ||
         model.starts_with("./") || model.starts_with("/") ||
         std::filesystem::is_regular_file(model, error);
}

void Announce(Context& context, const Plan& plan) {
  ui::Console& console = context.console;
  console.Note(plan.id.text() + ": " + plan.remote.repository + " at commit " +
               plan.remote.commit.substr(0, 12));
  std::string graph = "graph: " + plan.graph.path + ", because " + plan.graph.reason;
  if (!plan.graph.others.empty()) {
    graph += "; others (--file): ";
    for (std::size_t i = 0; i < plan.graph.others.size(); ++i) {
      graph += (i == 0 ? "" : ", ") + plan.graph.others[i];
    }
  }
  console.Note(graph);
  const bool by_commit = plan.id.version() == plan.remote.commit;
  if (by_commit && plan.remote.revision != plan.remote.commit) {
    console.Note("installed under its commit, because '" + plan.remote.revision +
                 "' cannot be a version");
  }
}

void ShowPlan(Context& context, const store::Store& store, const Plan& plan) {
  const std::uint64_t missing = install::MissingBytes(store, plan.files);
  if (!context.console.json()) {
    std::vector<std::vector<std::string>> rows;
    for (const hub::RemoteFile& file : plan.files) {
      rows.push_back({file.path, ui::FormatBytes(file.content.size_bytes)});
    }
    rows.push_back({"total", ui::FormatBytes(plan.total_bytes())});
    rows.push_back({"to download", ui::FormatBytes(missing)});
    context.console.Data(ui::FormatTable(rows));
    return;
  }
  ui::JsonWriter json;
  json.BeginObject().Field("model_id", plan.id.text()).Field("status", "planned");
  WriteSource(json,
              {plan.remote.hub, plan.remote.repository, plan.remote.revision, plan.remote.commit});
  json.Field("graph", plan.graph.path).Field("graph_reason", plan.graph.reason);
  json.Key("other_graphs").BeginArray();
  for (const std::string& other : plan.graph.others) json.Value(std::string_view(other));
  json.EndArray().Key("files").BeginArray();
  for (const hub::RemoteFile& file : plan.files) {
    json.BeginObject().Field("path", file.path).Field("size_bytes", file.content.size_bytes);
    json.EndObject();
  }
  json.EndArray().Field("total_bytes", plan.total_bytes()).Field("download_bytes", missing);
  context.console.Data(json.EndObject());
}

void ShowPackage(Context& context, const mlos::ModelId& id, const package::Manifest& manifest) {
  if (!context.console.json()) return context.console.Data(id.text());
  ui::JsonWriter json;
  json.BeginObject().Field("model_id", id.text()).Field("status", "planned");
  context.console.Data(json.Field("total_bytes", BytesOf(manifest)).EndObject());
}

Status ShowInstalled(Context& context, const InstalledModel& model, std::string_view outcome,
                     const std::string& archive) {
  if (!context.console.json()) {
    context.console.Data(model.id.text());
    return mlos::OkStatus();
  }
  const package::Manifest manifest = MLOS_TRY(ReadInstalledManifest(model)).manifest;
  const package::Extension extension = manifest.extension.value_or(package::Extension{});
  ui::JsonWriter json;
  json.BeginObject().Field("model_id", model.id.text()).Field("status", outcome);
  json.Field("path", model.directory.string()).Field("verified", manifest.verified());
  WriteSource(json, extension.source);
  json.Field("graph", extension.graph).Key("files").BeginArray();
  for (const package::FileEntry& file : manifest.format.files) {
    json.BeginObject().Field("path", file.path).Field("size_bytes", file.size_bytes);
    json.Field("sha256", file.sha256.has_value() ? file.sha256->Hex() : "").EndObject();
  }
  json.EndArray().Field("total_bytes", BytesOf(manifest));
  if (!archive.empty()) json.Field("archive", archive);
  context.console.Data(json.EndObject());
  return mlos::OkStatus();
}

/// Says how to continue, if that is possible.
Status WithResumeHint(Status status, const InstallOptions& options) {
  if (status.ok()) return status;
  const Reason reason = status.reason();
  const bool resumable = reason == Reason::kCancelled || reason == Reason::kNetwork ||
                         reason == Reason::kServerError || reason == Reason::kDiskFull;
  if (!resumable) return status;
  return ui::WithHint(std::move(status),
                      "the downloaded part is kept; continue with: axon install " + options.model);
}

Result<InstalledModel> Carry(Context& context, const install::InstallContext& install_context,
                             hub::Hub& hub, const Plan& plan) {
  fetch::DownloadOptions download;
  download.timeouts = TimeoutsOf(context.config);
  download.parallel = context.config.Number("download.parallel");
  download.retries_max = context.config.Number("download.max_retries");
  install::Installer installer(install_context, hub, std::move(download));
  return installer.Install(plan);
}

Status Finish(Context& context, const install::InstallContext& install_context,
              const InstalledModel& model, std::string_view outcome,
              const InstallOptions& options) {
  if (!options.output.empty()) {
    MLOS_TRY(install::ExportArchive(install_context, model, options.output));
    context.console.Note("wrote " + options.output);
  }
  return ShowInstalled(context, model, outcome, options.output);
}

Status InstallFromHub(Context& context, const install::InstallContext& install_context,
                      const InstallOptions& options) {
  const hub::ModelSpec spec = MLOS_TRY(hub::ModelSpec::Parse(options.model));
  const auto hub = MLOS_TRY(OpenHub(context, spec.name_space()));
  Plan plan = MLOS_TRY(install::MakePlan(install_context.store, *hub, {spec, options.file}));
  Announce(context, plan);
  if (options.dry_run) {
    ShowPlan(context, install_context.store, plan);
    return mlos::OkStatus();
  }
  const store::InstallLock lock = MLOS_TRY(install_context.patience().Until(
      [&] { return store::InstallLock::TryAcquire(install_context.store.layout(), plan.id); }));
  // The process that had the lock may have installed it.
  install::CompareWithInstalled(install_context.store, plan);
  if (plan.up_to_date && !options.force) {
    context.console.Note("this commit is already installed; --force installs it again");
    const InstalledModel model = MLOS_TRY(install_context.store.Find(plan.id));
    return Finish(context, install_context, model, "up_to_date", options);
  }
  const bool updates = !plan.installed_commit.empty();
  if (updates) {
    context.console.Note("replacing commit " + plan.installed_commit.substr(0, 12));
  }
  const auto model = Carry(context, install_context, *hub, plan);
  if (!model.ok()) return WithResumeHint(model.status(), options);
  return Finish(context, install_context, *model, updates ? "updated" : "installed", options);
}

Status InstallFromArchive(Context& context, const install::InstallContext& install_context,
                          const InstallOptions& options) {
  if (!options.file.empty()) {
    return {Reason::kUsage, "--file chooses among a hub's graphs; an archive holds only one"};
  }
  if (options.dry_run) {
    const auto manifest = MLOS_TRY(package::ReadArchivedManifest(options.model)).manifest;
    const mlos::ModelId id = MLOS_TRY(package::ModelIdOf(manifest));
    ShowPackage(context, id, manifest);
    return mlos::OkStatus();
  }
  const install::Imported imported =
      MLOS_TRY(install::ImportArchive(install_context, options.model, options.force));
  if (!imported.verified) {
    context.console.Warn(
        "the package has no digests; axon computed them now and marks the model unverified");
  }
  if (imported.up_to_date) context.console.Note("it is installed already");
  return Finish(context, install_context, imported.model,
                imported.up_to_date ? "up_to_date" : "installed", options);
}

Outcome Install(Context& context, const InstallOptions& options) {
  MLOS_TRY(CheckFormat(options.format));
  const store::Store store = OpenStore(context);
  const install::InstallContext install_context{store, context.console, context.cancel,
                                                !options.no_wait};
  return IsArchive(options.model) ? InstallFromArchive(context, install_context, options)
                                  : InstallFromHub(context, install_context, options);
}

}  // namespace

void AddInstall(Commands& commands) {
  auto options = std::make_shared<InstallOptions>();
  commands
      .Add("install", "Installs a model from a hub, or from a .axon file",
           [options](Context& context) { return Install(context, *options); })
      .Argument("model", options->model, "hf/<organisation>/<name>[@revision], or a .axon file")
      .Option("-f,--format", options->format, "auto or onnx")
      .Option("--file", options->file, "The graph to install, if there are several")
      .Option("-o,--output", options->output,
              "Write the model to this .axon file as well (.axon.gz, .axon.zst: compressed)")
      .Setting("--endpoint", "registry.huggingface_endpoint")
      .Setting("--parallel", "download.parallel")
      .Flag("--dry-run", options->dry_run, "Show what would be downloaded, with sizes")
      .Flag("--no-wait", options->no_wait,
            "Fail if another axon is installing the model, instead of waiting for it")
      .Flag("--force", options->force, "Install again, or replace another package");
}

}  // namespace axon::cli
