// SPDX-License-Identifier: MIT
#include "axon/cli/commands.h"
#include "axon/cli/common.h"
#include "axon/hub/graph_choice.h"
#include "axon/ui/format.h"

namespace axon::cli {
namespace {

namespace package = mlos::package;
using mlos::Reason;
using mlos::Result;
using mlos::Status;
using package::Manifest;
using store::InstalledModel;
using Rows = std::vector<std::vector<std::string>>;

struct InfoOptions {
  std::string model;
  bool remote = false;
};

void WriteTensors(ui::JsonWriter& json, std::string_view key,
                  const std::vector<package::IoTensor>& tensors) {
  json.Key(key).BeginArray();
  for (const package::IoTensor& tensor : tensors) {
    json.BeginObject().Field("name", tensor.name).Field("dtype", tensor.dtype).Key("shape");
    if (tensor.shape.has_value()) {
      json.BeginArray();
      for (const std::int64_t size : *tensor.shape) json.Value(size);
      json.EndArray();
    } else {
      json.Null();
    }
    json.EndObject();
  }
  json.EndArray();
}

void WriteFiles(ui::JsonWriter& json, const Manifest& manifest) {
  json.Key("files").BeginArray();
  for (const package::FileEntry& file : manifest.format.files) {
    json.BeginObject().Field("path", file.path).Field("size_bytes", file.size_bytes);
    json.Field("sha256", file.sha256.has_value() ? file.sha256->Hex() : "").EndObject();
  }
  json.EndArray();
}

void ShowInstalledJson(Context& context, const InstalledModel& model, const Manifest& manifest) {
  const package::Extension extension = manifest.extension.value_or(package::Extension{});
  ui::JsonWriter json;
  json.BeginObject()
      .Field("model_id", model.id.text())
      .Field("installed", true)
      .Field("path", model.directory.string())
      .Field("description", manifest.metadata.description)
      .Field("license", manifest.metadata.license)
      .Field("homepage", manifest.metadata.homepage)
      .Field("framework", manifest.framework.name)
      .Field("execution_format", manifest.format.execution_format)
      .Field("graph", extension.graph)
      .Field("verified", manifest.verified());
  WriteSource(json, extension.source);
  WriteTensors(json, "inputs", manifest.io.inputs);
  WriteTensors(json, "outputs", manifest.io.outputs);
  WriteFiles(json, manifest);
  json.Field("memory_min_gb", manifest.requirements.memory_min_gb);
  json.Field("total_bytes", BytesOf(manifest));
  context.console.Data(json.EndObject());
}

/// A row with its label, or without it if the row before has the same label.
void AddRow(Rows& rows, const std::string& label, const std::string& text) {
  if (!text.empty()) rows.push_back({label, ui::Printable(text)});
}

void ShowInstalledText(Context& context, const InstalledModel& model, const Manifest& manifest) {
  const package::Extension extension = manifest.extension.value_or(package::Extension{});
  Rows rows;
  AddRow(rows, "model", model.id.text());
  AddRow(rows, "description", manifest.metadata.description);
  AddRow(rows, "license", manifest.metadata.license);
  AddRow(rows, "homepage", manifest.metadata.homepage);
  AddRow(rows, "source", extension.source.repository);
  AddRow(rows, "commit", extension.source.commit);
  AddRow(rows, "path", model.directory.string());
  AddRow(rows, "framework", manifest.framework.name);
  AddRow(rows, "graph", extension.graph);
  for (const package::IoTensor& tensor : manifest.io.inputs) {
    AddRow(rows, "input", tensor.name + " " + TypeOf(tensor));
  }
  for (const package::IoTensor& tensor : manifest.io.outputs) {
    AddRow(rows, "output", tensor.name + " " + TypeOf(tensor));
  }
  for (const package::FileEntry& file : manifest.format.files) {
    const std::string digest = file.sha256.has_value() ? file.sha256->Hex().substr(0, 16) : "";
    AddRow(rows, "file", file.path + "  " + ui::FormatBytes(file.size_bytes) + "  " + digest);
  }
  AddRow(rows, "size", ui::FormatBytes(BytesOf(manifest)));
  AddRow(rows, "state", manifest.verified() ? "verified" : "unverified");
  context.console.Data(ui::FormatTable(rows));
}

Status ShowInstalled(Context& context, const InstalledModel& model) {
  const package::ParsedManifest parsed = MLOS_TRY(ReadInstalledManifest(model));
  if (context.console.json()) {
    ShowInstalledJson(context, model, parsed.manifest);
  } else {
    ShowInstalledText(context, model, parsed.manifest);
  }
  return mlos::OkStatus();
}

void ShowRemoteJson(Context& context, const hub::RemoteModel& remote, const mlos::ModelId& id,
                    const std::string& graph) {
  ui::JsonWriter json;
  json.BeginObject()
      .Field("model_id", id.text())
      .Field("installed", false)
      .Field("description", remote.description)
      .Field("license", remote.license)
      .Field("homepage", remote.homepage)
      .Field("gated", remote.gated)
      .Field("graph", graph);
  WriteSource(json, {remote.hub, remote.repository, remote.revision, remote.commit});
  json.Key("files").BeginArray();
  for (const hub::RemoteFile& file : remote.files) {
    json.BeginObject().Field("path", file.path).Field("size_bytes", file.content.size_bytes);
    json.EndObject();
  }
  context.console.Data(json.EndArray().EndObject());
}

void ShowRemoteText(Context& context, const hub::RemoteModel& remote, const mlos::ModelId& id,
                    const std::string& graph) {
  Rows rows;
  AddRow(rows, "model", id.text() + " (not installed)");
  AddRow(rows, "description", remote.description);
  AddRow(rows, "license", remote.license);
  AddRow(rows, "homepage", remote.homepage);
  AddRow(rows, "commit", remote.commit);
  if (remote.gated) AddRow(rows, "gated", "its authors ask everyone to accept their conditions");
  AddRow(rows, "graph", graph.empty() ? "none that can be installed" : graph);
  for (const hub::RemoteFile& file : remote.files) {
    AddRow(rows, "file", file.path + "  " + ui::FormatBytes(file.content.size_bytes));
  }
  context.console.Data(ui::FormatTable(rows));
}

Status ShowRemote(Context& context, const std::string& model) {
  const hub::ModelSpec spec = MLOS_TRY(hub::ModelSpec::Parse(model));
  const auto hub = MLOS_TRY(OpenHub(context, spec.name_space()));
  const hub::RemoteModel remote = MLOS_TRY(hub->Resolve(spec));
  const mlos::ModelId id = MLOS_TRY(spec.InstalledId(remote.commit));
  const Result<hub::GraphChoice> choice = hub::ChooseGraph(remote, "");
  const std::string graph = choice.ok() ? choice->path : "";
  if (context.console.json()) {
    ShowRemoteJson(context, remote, id, graph);
  } else {
    ShowRemoteText(context, remote, id, graph);
  }
  return mlos::OkStatus();
}

Outcome Info(Context& context, const InfoOptions& options) {
  if (!options.remote) {
    const auto installed = FindOneInstalled(OpenStore(context), options.model);
    if (installed.ok()) return ShowInstalled(context, *installed);
    if (installed.status().reason() != Reason::kModelNotFound) return installed.status();
  }
  return ShowRemote(context, options.model);
}

}  // namespace

void AddInfo(Commands& commands) {
  auto options = std::make_shared<InfoOptions>();
  commands
      .Add("info", "Describes a model: the installed one, or else the hub's",
           [options](Context& context) { return Info(context, *options); })
      .Argument("model", options->model, "namespace/name[@version]")
      .Setting("--endpoint", "registry.huggingface_endpoint")
      .Flag("--remote", options->remote, "Ask the hub even if the model is installed");
}

}  // namespace axon::cli
