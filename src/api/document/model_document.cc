// SPDX-License-Identifier: MIT
#include "api/document/model_document.h"

#include "api/document/error_document.h"
#include "base/model_id.h"
#include "settings/json.h"
#include "settings/table.h"

namespace mlos::api::document {
namespace {

using catalog::ModelInfo;

void WriteSizes(JsonWriter& writer, const tensor::TensorSpec& spec) {
  writer.Key("shape");
  if (!spec.has_shape) {
    writer.Null();
    return;
  }
  writer.StartArray();
  for (const tensor::Dim& dim : spec.dims) {
    if (dim.dynamic() && !dim.symbol.empty()) {
      writer.Text(dim.symbol);
    } else {
      writer.Integer(dim.size);
    }
  }
  writer.EndArray();
}

void WriteSpecs(JsonWriter& writer, std::string_view key,
                const std::vector<tensor::TensorSpec>& specs) {
  writer.Key(key);
  writer.StartArray();
  for (const tensor::TensorSpec& spec : specs) {
    writer.StartObject();
    writer.Text("name", spec.name);
    writer.Text("dtype", tensor::Name(spec.dtype));
    WriteSizes(writer, spec);
    writer.Flag("required", spec.required);
    writer.EndObject();
  }
  writer.EndArray();
}

void WriteMemory(JsonWriter& writer, const engine::MemoryReport& memory) {
  writer.Key("memory");
  writer.StartObject();
  writer.Count("weight_bytes", memory.weight_bytes);
  writer.Count("arena_bytes", memory.arena_bytes);
  writer.Count("arena_limit_bytes", memory.arena_limit_bytes);
  writer.EndObject();
}

/// Every setting, the ones that are not set too.
struct SettingWriter {
  JsonWriter& writer;

  void operator()(const settings::Setting& setting, const settings::Integer& value) const {
    writer.Integer(setting.name, value.value_or(setting.range.unset));
  }
  void operator()(const settings::Setting& setting, const settings::TextMap& value) const {
    writer.Key(setting.name);
    writer.StartObject();
    for (const auto& [key, text] : value) writer.Text(key, text);
    writer.EndObject();
  }
  void operator()(const settings::Setting& setting, const settings::JsonObject& value) const {
    writer.Key(setting.name);
    writer.StartRaw().Append(value.text.empty() ? "{}" : value.text);
  }
};

std::string InferenceEndpoint(std::string_view model_id) {
  std::string endpoint = "/models/";
  for (const char c : model_id) {
    // Of what ids are made of, these two are escaped as the user's page has them.
    if (c == '/') {
      endpoint += "%2F";
    } else if (c == '@') {
      endpoint += "%40";
    } else {
      endpoint += c;
    }
  }
  return endpoint + "/inference";
}

std::string_view RegisteredMessage(const catalog::RegisterModelOutcome& outcome) {
  if (!outcome.changed) return "Model is registered already and has not changed";
  return outcome.info.manifest_path.empty()
             ? "Model registered successfully"
             : "Model registered successfully from Axon package (MPF)";
}

/// Nothing if there is none.
void WriteFault(JsonWriter& writer, std::string_view key, const Status& fault) {
  if (fault.ok()) return;
  writer.Key(key);
  writer.StartObject();
  WriteErrorMembers(writer, fault);
  writer.EndObject();
}

}  // namespace

Result<catalog::RegisterModelRequest> ReadModelRequest(const json::Document& document) {
  catalog::RegisterModelRequest request;
  request.model_id = MLOS_TRY(document.Text("model_id"));
  request.path = MLOS_TRY(document.Text("path"));
  if (request.path.empty()) request.path = MLOS_TRY(document.Text("model_path"));
  request.manifest_path = MLOS_TRY(document.Text("manifest_path"));
  request.name = MLOS_TRY(document.Text("name"));
  request.framework = MLOS_TRY(document.Text("framework"));
  request.execution_format = MLOS_TRY(document.Text("execution_format"));
  request.description = MLOS_TRY(document.Text("description"));
  request.plugin_id = MLOS_TRY(document.Text("plugin_id"));
  request.autoload = MLOS_TRY(document.Flag("autoload", true));
  request.settings = MLOS_TRY(settings::ReadSettings(document.members()));
  if (request.model_id.empty()) {
    return Status(Reason::kMissingField, "model_id is required (format: namespace/name@version)")
        .WithField("model_id");
  }
  MLOS_TRY(ModelId::Parse(request.model_id));
  if (request.path.empty()) {
    return Status(Reason::kMissingField,
                  "path is required: a model file, a package's directory or an .axon file")
        .WithField("path");
  }
  return request;
}

void WriteModel(JsonWriter& writer, const ModelInfo& model) {
  writer.Text("id", model.model_id);
  writer.Text("model_id", model.model_id);
  writer.Text("name", model.name);
  writer.Text("version", model.version);
  writer.Text("framework", model.framework);
  writer.Text("execution_format", model.execution_format);
  writer.Text("description", model.description);
  writer.Text("path", model.path);
  writer.Text("manifest_path", model.manifest_path);
  writer.Text("plugin_id", model.plugin_id);
  writer.Text("digest", model.digest);
  writer.Flag("verified", model.verified);
  writer.Flag("autoload", model.autoload);
  settings::ForEach(model.settings, SettingWriter{writer});
  writer.Text("status", ToString(model.state));
  writer.Text("state", ToString(model.state));
  writer.Integer("registered_at", model.registered_at);
  if (model.loaded_at != 0) writer.Integer("loaded_at", model.loaded_at);
  if (model.checked.at != 0) writer.Integer("checked_at", model.checked.at);
  writer.Text("inference_endpoint", InferenceEndpoint(model.model_id));
  WriteSpecs(writer, "inputs", model.schema.inputs);
  WriteSpecs(writer, "outputs", model.schema.outputs);
  WriteMemory(writer, model.memory);
  WriteFault(writer, "check_error", model.checked.found);
  WriteFault(writer, "error", model.error);
}

void WriteModels(JsonWriter& writer, const std::vector<ModelInfo>& models) {
  writer.Text("status", "success");
  writer.Key("models");
  writer.StartArray();
  for (const ModelInfo& model : models) {
    writer.StartObject();
    WriteModel(writer, model);
    writer.EndObject();
  }
  writer.EndArray();
  writer.Count("total", models.size());
}

void WriteRegistered(JsonWriter& writer, const catalog::RegisterModelOutcome& outcome) {
  const ModelInfo& model = outcome.info;
  writer.Text("status", "success");
  writer.Text("model_id", model.model_id);
  writer.Text("plugin_id", model.plugin_id);
  writer.Text("message", RegisteredMessage(outcome));
  if (!model.manifest_path.empty()) writer.Text("axon_manifest", model.manifest_path);
  writer.Text("inference_endpoint", InferenceEndpoint(model.model_id));
  writer.Text("state", ToString(model.state));
  writer.Text("version", model.version);
  writer.Text("digest", model.digest);
  writer.Flag("verified", model.verified);
  writer.Flag("changed", outcome.changed);
  WriteSpecs(writer, "inputs", model.schema.inputs);
  WriteSpecs(writer, "outputs", model.schema.outputs);
}

void WriteModelState(JsonWriter& writer, const ModelInfo& model, std::string_view message) {
  writer.Text("status", "success");
  writer.Text("model_id", model.model_id);
  writer.Text("state", ToString(model.state));
  writer.Text("message", message);
}

void WriteModelRemoved(JsonWriter& writer, std::string_view model_id) {
  writer.Text("status", "success");
  writer.Text("model_id", model_id);
  writer.Text("message", "Model removed");
}

}  // namespace mlos::api::document
