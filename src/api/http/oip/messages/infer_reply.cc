// SPDX-License-Identifier: MIT
#include "api/http/oip/messages/infer_reply.h"

#include <utility>

#include "api/http/tensors/tensor_body.h"
#include "api/oip/datatype.h"

namespace mlos::api::http::oip::messages {
namespace {

using json::JsonWriter;
using tensor::NamedTensor;

void WriteOutput(tensors::BodyWriter& body, const NamedTensor& output, bool binary) {
  JsonWriter& writer = body.json();
  writer.StartObject();
  writer.Text("name", output.name);
  writer.Text("datatype", api::oip::DatatypeName(output.tensor.dtype()));
  writer.Key("shape");
  writer.StartArray();
  for (const std::int64_t size : output.tensor.shape()) writer.Integer(size);
  writer.EndArray();
  if (binary) {
    writer.Key("parameters");
    writer.StartObject();
    writer.Count("binary_data_size", tensor::RawBytes::Size(output.tensor));
    writer.EndObject();
  } else {
    writer.Key("data");
    body.Value(output.tensor, tensors::Form::kFlat);
  }
  writer.EndObject();
}

}  // namespace

Result<wire::Reply> WriteInferReply(const InferRequest& request, std::string_view model_id,
                                    std::string_view version, engine::InferenceResponse& response,
                                    resource::ByteBudget& budget) {
  tensors::BodyWriter body(budget);
  JsonWriter& writer = body.json();
  writer.StartObject();
  if (!request.id.empty()) writer.Text("id", request.id);
  writer.Text("model_name", model_id);
  writer.Text("model_version", version);
  writer.Key("outputs");
  writer.StartArray();
  bool binary = false;
  for (const NamedTensor& output : response.outputs) {
    const bool is_binary = request.IsBinary(output.name);
    WriteOutput(body, output, is_binary);
    binary = binary || is_binary;
  }
  writer.EndArray();
  writer.EndObject();
  for (const NamedTensor& output : response.outputs) {
    if (request.IsBinary(output.name)) body.Binary(output.tensor);
  }
  auto written = MLOS_TRY(std::move(body).Finish(response));
  wire::Reply reply;
  if (binary) {
    reply.content_type = "application/octet-stream";
    reply.inference_header_length = written.json_bytes;
  }
  reply.body = std::move(written.whole);
  reply.source = std::move(written.source);
  return reply;
}

}  // namespace mlos::api::http::oip::messages
