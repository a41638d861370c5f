// SPDX-License-Identifier: MIT
#include "api/http/oip/messages/generate.h"

#include <utility>

#include "api/http/oip/messages/json_value.h"
#include "api/http/tensors/tensor_reader.h"
#include "json/parser.h"

namespace mlos::api::http::oip::messages {
namespace {

using tensor::Tensor;
using tensor::TensorSpec;

Status ReadMember(const std::string& key, value from, const engine::ModelSchema& schema,
                  tensors::RequestMemory& memory, GenerateRequest& request) {
  if (const TensorSpec* spec = schema.FindInput(key)) {
    Result<Tensor> data = tensors::ReadTensor(from, {spec->dtype, 0, 1}, memory);
    if (!data.ok()) {
      return std::move(data).status().WithContext("input " + json::Quote(key)).WithField(key);
    }
    request.inputs.push_back({key, std::move(data).value()});
    return OkStatus();
  }
  if (key == "parameters") {
    return ReadParameters(from, key, [](const auto&...) { return OkStatus(); });
  }
  if (key == "id") {
    request.id = MLOS_TRY(ReadText(from, "id"));
    return OkStatus();
  }
  MLOS_TRY(ReadParameter(from, key));
  return OkStatus();
}

}  // namespace

Result<GenerateRequest> ReadGenerateRequest(const net::ByteBuffer& body,
                                            const engine::ModelSchema& schema,
                                            tensors::RequestMemory& memory) {
  if (!schema.declared) {
    return Status(Reason::kUnimplemented,
                  "the model declares no inputs; use infer, where the request does");
  }
  json::ParserLease lease;
  simdjson::ondemand::document document = MLOS_TRY(lease.Open(body, memory.budget()));
  simdjson::ondemand::object object = MLOS_TRY(json::ObjectOf(document));
  GenerateRequest request;
  const auto required = [&](std::string_view key) { return schema.FindInput(key) != nullptr; };
  MLOS_TRY(ReadMembers(object, "", required, [&](const std::string& key, value item) {
    return ReadMember(key, item, schema, memory, request);
  }));
  MLOS_TRY(json::CheckEnd(document));
  return request;
}

void WriteGenerateAnswer(const GenerateRequest& request, std::string_view model_id,
                         std::string_view version, const engine::InferenceResponse& response,
                         AnswerForm form, tensors::BodyWriter& body) {
  // The document has no line breaks of its own, which would end the data.
  if (form == AnswerForm::kEvent) body.text().Append("data: ");
  json::JsonWriter& writer = body.json();
  writer.StartObject();
  if (!request.id.empty()) writer.Text("id", request.id);
  writer.Text("model_name", model_id);
  writer.Text("model_version", version);
  for (const tensor::NamedTensor& output : response.outputs) {
    writer.Key(output.name);
    const bool lone = output.tensor.element_count() == 1;
    body.Value(output.tensor, lone ? tensors::Form::kElement : tensors::Form::kFlat);
  }
  writer.EndObject();
  if (form == AnswerForm::kEvent) body.text().Append("\n\n");
}

}  // namespace mlos::api::http::oip::messages
