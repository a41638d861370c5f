// SPDX-License-Identifier: MIT
#include "api/grpc/tensors/oip_writer.h"

#include <string>
#include <utility>

#include "api/grpc/tensors/wire.h"
#include "api/oip/datatype.h"

namespace mlos::api::grpc::tensors {
namespace {

constexpr std::uint8_t kRawOutputContents = 6;
constexpr std::uint8_t kInferResponse = 2;

}  // namespace

MessageBytes OipResponse(inference::ModelInferResponse head,
                         const engine::InferenceResponse& response) {
  for (const tensor::NamedTensor& output : response.outputs) {
    auto* described = head.add_outputs();
    described->set_name(output.name);
    described->set_datatype(std::string(oip::DatatypeName(output.tensor.dtype())));
    for (const std::int64_t size : output.tensor.shape()) described->add_shape(size);
  }
  MessageBytes bytes;
  AppendMessage(bytes.text(), head);
  for (const tensor::NamedTensor& output : response.outputs) {
    AppendFieldHead(bytes.text(), kRawOutputContents, tensor::RawBytes::Size(output.tensor));
    bytes.AddRaw(output.tensor);
  }
  return bytes;
}

MessageBytes OipStreamedResponse(inference::ModelInferResponse head,
                                 const engine::InferenceResponse& response) {
  MessageBytes bytes = OipResponse(std::move(head), response);
  net::ByteBuffer lead;
  AppendFieldHead(lead, kInferResponse, bytes.size());
  bytes.Lead(std::string(lead.view()));
  return bytes;
}

}  // namespace mlos::api::grpc::tensors
