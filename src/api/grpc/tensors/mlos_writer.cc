// SPDX-License-Identifier: MIT
#include "api/grpc/tensors/mlos_writer.h"

#include <string>
#include <utility>

#include "api/grpc/tensors/wire.h"
#include "tensor/string_ref.h"

namespace mlos::api::grpc::tensors {
namespace {

using tensor::StringRef;
using tensor::Tensor;

constexpr std::uint8_t kOutputs = 5;   // of InferResponse
constexpr std::uint8_t kData = 4;      // of Tensor
constexpr std::uint8_t kStrings = 5;   // of Tensor
constexpr std::uint8_t kResponse = 6;  // of InferBidiResponse

std::size_t ElementsSize(const Tensor& tensor) {
  if (tensor.dtype() != tensor::DType::kString) return FieldSize(tensor.size_bytes());
  std::size_t size = 0;
  for (const StringRef& element : tensor.elements<StringRef>()) size += FieldSize(element.size);
  return size;
}

void AddOutput(MessageBytes& bytes, const tensor::NamedTensor& output) {
  const Tensor& tensor = output.tensor;
  v1::Tensor described;
  described.set_name(output.name);
  described.set_dtype(std::string(tensor::Name(tensor.dtype())));
  for (const std::int64_t size : tensor.shape()) described.add_shape(size);
  AppendFieldHead(bytes.text(), kOutputs, described.ByteSizeLong() + ElementsSize(tensor));
  AppendMessage(bytes.text(), described);
  if (tensor.dtype() == tensor::DType::kString) return bytes.AddStrings(tensor, kStrings);
  AppendFieldHead(bytes.text(), kData, tensor.size_bytes());
  bytes.AddRaw(tensor);
}

}  // namespace

MessageBytes MlosResponse(v1::InferResponse head, const engine::InferenceResponse& response) {
  head.set_inference_time_us(response.inference_time_us);
  head.set_queue_time_us(response.queue_time_us);
  MessageBytes bytes;
  AppendMessage(bytes.text(), head);
  for (const tensor::NamedTensor& output : response.outputs) AddOutput(bytes, output);
  return bytes;
}

MessageBytes MlosResponse(v1::InferResponse head, const engine::InferenceResponse& response,
                          const v1::InferBidiResponse& envelope) {
  MessageBytes bytes = MlosResponse(std::move(head), response);
  net::ByteBuffer lead;
  AppendMessage(lead, envelope);
  AppendFieldHead(lead, kResponse, bytes.size());
  bytes.Lead(std::string(lead.view()));
  return bytes;
}

}  // namespace mlos::api::grpc::tensors
