// SPDX-License-Identifier: MIT
#include "api/http/oip/messages/metadata.h"

#include <string>

#include "api/http/wire/document_reply.h"
#include "api/oip/datatype.h"
#include "api/oip/description.h"

namespace mlos::api::http::oip::messages {
namespace {

using json::JsonWriter;
using tensor::DType;
using tensor::TensorSpec;

constexpr std::string_view kExtensions[] = {
    "binary_tensor_data", "parameters", "model_repository", "model_configuration",
    "statistics",         "generate",   "sequence",         "sequence(string_id)"};

/// ModelConfig's name of a dtype.
std::string ConfigDatatype(DType dtype) {
  if (dtype == DType::kUndefined) return "TYPE_INVALID";
  if (dtype == DType::kString) return "TYPE_STRING";
  return "TYPE_" + std::string(api::oip::DatatypeName(dtype));
}

void WriteSizes(JsonWriter& writer, const TensorSpec& spec) {
  writer.StartArray();
  for (const std::int64_t size : api::oip::SizesOf(spec)) writer.Integer(size);
  writer.EndArray();
}

void WriteTensors(JsonWriter& writer, std::string_view key, const std::vector<TensorSpec>& specs) {
  writer.Key(key);
  writer.StartArray();
  for (const TensorSpec& spec : specs) {
    writer.StartObject();
    writer.Text("name", spec.name);
    writer.Text("datatype", api::oip::DatatypeName(spec.dtype));
    writer.Key("shape");
    WriteSizes(writer, spec);
    writer.EndObject();
  }
  writer.EndArray();
}

void WriteConfigTensors(JsonWriter& writer, std::string_view key,
                        const std::vector<TensorSpec>& specs) {
  writer.Key(key);
  writer.StartArray();
  for (const TensorSpec& spec : specs) {
    writer.StartObject();
    writer.Text("name", spec.name);
    writer.Text("data_type", ConfigDatatype(spec.dtype));
    writer.Key("dims");
    WriteSizes(writer, spec);
    if (!spec.required) writer.Flag("optional", true);
    writer.EndObject();
  }
  writer.EndArray();
}

// As Triton has it of models whose state it keeps ("implicit state").
void WriteSequenceBatching(JsonWriter& writer, const catalog::ModelInfo& model) {
  writer.Key("sequence_batching");
  writer.StartObject();
  writer.Key("state");
  writer.StartArray();
  for (const auto& [input, output] : model.settings.state_pairs) {
    writer.StartObject();
    writer.Text("input_name", input);
    writer.Text("output_name", output);
    if (const TensorSpec* spec = model.schema.FindInput(input); spec != nullptr) {
      writer.Text("data_type", ConfigDatatype(spec->dtype));
      writer.Key("dims");
      WriteSizes(writer, *spec);
    }
    writer.EndObject();
  }
  writer.EndArray();
  writer.EndObject();
}

}  // namespace

Result<wire::Reply> ServerMetadata(std::string_view version, resource::ByteBudget& budget) {
  return wire::DocumentReply(budget, [&](JsonWriter& writer) {
    writer.Text("name", "mlos-core");
    writer.Text("version", version);
    writer.Key("extensions");
    writer.StartArray();
    for (const std::string_view extension : kExtensions) writer.Text(extension);
    writer.EndArray();
  });
}

Result<wire::Reply> ModelMetadata(const catalog::ModelInfo& model, resource::ByteBudget& budget) {
  return wire::DocumentReply(budget, [&](JsonWriter& writer) {
    writer.Text("name", model.model_id);
    writer.Key("versions");
    writer.StartArray();
    writer.Text(model.version);
    writer.EndArray();
    writer.Text("platform", api::oip::Platform(model));
    WriteTensors(writer, "inputs", model.schema.inputs);
    WriteTensors(writer, "outputs", model.schema.outputs);
  });
}

Result<wire::Reply> ModelConfig(const catalog::ModelInfo& model, resource::ByteBudget& budget) {
  return wire::DocumentReply(budget, [&](JsonWriter& writer) {
    writer.Text("name", model.model_id);
    writer.Text("platform", api::oip::Platform(model));
    writer.Text("backend", model.plugin_id);
    // Shapes are told whole: no batch dimension is left out of them.
    writer.Integer("max_batch_size", 0);
    WriteConfigTensors(writer, "input", model.schema.inputs);
    WriteConfigTensors(writer, "output", model.schema.outputs);
    if (!model.settings.state_pairs.empty()) WriteSequenceBatching(writer, model);
  });
}

}  // namespace mlos::api::http::oip::messages
