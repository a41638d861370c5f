// SPDX-License-Identifier: MIT
#include "api/grpc/tensors/mlos_writer.h"

#include <string_view>
#include <utility>

#include "api/grpc/tensors/wire.h"

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

void AppendElements(net::ByteBuffer& out, const Tensor& tensor) {
  if (tensor.dtype() != tensor::DType::kString) {
    AppendFieldHead(out, kData, tensor.size_bytes());
    out.Append(std::string_view(static_cast<const char*>(tensor.data()), tensor.size_bytes()));
    return;
  }
  for (const StringRef& element : tensor.elements<StringRef>()) {
    AppendFieldHead(out, kStrings, element.size);
    out.Append(element.view());
  }
}

}  // namespace

MlosResponse::MlosResponse(v1::InferResponse head, const engine::InferenceResponse& response)
    : head_(std::move(head)), response_(response) {
  head_.set_inference_time_us(response.inference_time_us);
  head_.set_queue_time_us(response.queue_time_us);
  head_size_ = head_.ByteSizeLong();
  size_ = head_size_;
  for (const tensor::NamedTensor& output : response.outputs) {
    v1::Tensor described;
    described.set_name(output.name);
    described.set_dtype(std::string(tensor::Name(output.tensor.dtype())));
    for (const std::int64_t size : output.tensor.shape()) described.add_shape(size);
    outputs_.push_back({described.SerializeAsString(), ElementsSize(output.tensor)});
    size_ += FieldSize(outputs_.back().head.size() + outputs_.back().elements_size);
  }
}

void MlosResponse::AppendTo(net::ByteBuffer& out) const {
  char* room = out.Prepare(size_);
  if (room == nullptr) return;
  head_.SerializeWithCachedSizesToArray(reinterpret_cast<std::uint8_t*>(room));
  out.Commit(head_size_);
  for (std::size_t i = 0; i < outputs_.size(); ++i) {
    AppendFieldHead(out, kOutputs, outputs_[i].head.size() + outputs_[i].elements_size);
    out.Append(outputs_[i].head);
    AppendElements(out, response_.outputs[i].tensor);
  }
}

void MlosResponse::AppendTo(net::ByteBuffer& out, const v1::InferBidiResponse& envelope) const {
  const std::string head = envelope.SerializeAsString();
  if (out.Prepare(head.size() + FieldSize(size_)) == nullptr) return;
  out.Append(head);
  AppendFieldHead(out, kResponse, size_);
  AppendTo(out);
}

}  // namespace mlos::api::grpc::tensors
