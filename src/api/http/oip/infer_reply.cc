// SPDX-License-Identifier: MIT
#include "api/http/oip/infer_reply.h"

#include <utility>

#include "api/http/oip/binary_tensor.h"
#include "api/http/oip/datatype.h"
#include "api/http/tensors/tensor_writer.h"
#include "json/json_writer.h"

namespace mlos::api::http::oip {
namespace {

using json::JsonWriter;
using tensor::NamedTensor;

void WriteOutput(JsonWriter& writer, const NamedTensor& output, bool binary) {
  writer.StartObject();
  writer.Text("name", output.name);
  writer.Text("datatype", DatatypeName(output.tensor.dtype()));
  writer.Key("shape");
  writer.StartArray();
  for (const std::int64_t size : output.tensor.shape()) writer.Integer(size);
  writer.EndArray();
  if (binary) {
    writer.Key("parameters");
    writer.StartObject();
    writer.Count("binary_data_size", BinarySize(output.tensor));
    writer.EndObject();
  } else {
    writer.Key("data");
    tensors::AppendFlatTensor(writer.StartRaw(), output.tensor);
  }
  writer.EndObject();
}

}  // namespace

Result<wire::Reply> WriteInferReply(const InferRequest& request, std::string_view model_id,
                                    std::string_view version,
                                    const engine::InferenceResponse& response,
                                    resource::ByteBudget& budget) {
  wire::Reply reply;
  reply.body = net::ByteBuffer(budget);
  JsonWriter writer(reply.body);
  writer.StartObject();
  if (!request.id.empty()) writer.Text("id", request.id);
  writer.Text("model_name", model_id);
  writer.Text("model_version", version);
  writer.Key("outputs");
  writer.StartArray();
  std::size_t binary_bytes = 0;
  bool binary = false;
  for (const NamedTensor& output : response.outputs) {
    const bool is_binary = request.IsBinary(output.name);
    WriteOutput(writer, output, is_binary);
    if (is_binary) binary_bytes += BinarySize(output.tensor);
    binary = binary || is_binary;
  }
  writer.EndArray();
  writer.EndObject();
  if (binary) {
    reply.content_type = "application/octet-stream";
    reply.inference_header_length = reply.body.size();
    reply.body.Prepare(binary_bytes);
    for (const NamedTensor& output : response.outputs) {
      if (request.IsBinary(output.name)) AppendBinaryTensor(reply.body, output.tensor);
    }
  }
  if (!reply.body.status().ok()) return reply.body.status();
  return reply;
}

}  // namespace mlos::api::http::oip
