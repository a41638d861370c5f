// SPDX-License-Identifier: MIT
#include "api/grpc/tensors/oip_writer.h"

#include <utility>

#include "api/grpc/tensors/wire.h"
#include "api/oip/datatype.h"
#include "tensor/raw_bytes.h"

namespace mlos::api::grpc::tensors {
namespace {

constexpr std::uint8_t kRawOutputContents = 6;
constexpr std::uint8_t kInferResponse = 2;

}  // namespace

OipResponse::OipResponse(inference::ModelInferResponse head,
                         const engine::InferenceResponse& response)
    : head_(std::move(head)), response_(response) {
  for (const tensor::NamedTensor& output : response.outputs) {
    auto* described = head_.add_outputs();
    described->set_name(output.name);
    described->set_datatype(std::string(oip::DatatypeName(output.tensor.dtype())));
    for (const std::int64_t size : output.tensor.shape()) described->add_shape(size);
    raw_sizes_.push_back(tensor::RawBytes::Size(output.tensor));
    size_ += FieldSize(raw_sizes_.back());
  }
  head_size_ = head_.ByteSizeLong();
  size_ += head_size_;
}

void OipResponse::AppendTo(net::ByteBuffer& out) const {
  char* room = out.Prepare(size_);
  if (room == nullptr) return;
  head_.SerializeWithCachedSizesToArray(reinterpret_cast<std::uint8_t*>(room));
  out.Commit(head_size_);
  for (std::size_t i = 0; i < raw_sizes_.size(); ++i) {
    AppendFieldHead(out, kRawOutputContents, raw_sizes_[i]);
    tensor::AppendRaw(out, response_.outputs[i].tensor);
  }
}

void OipResponse::AppendStreamedTo(net::ByteBuffer& out) const {
  if (out.Prepare(FieldSize(size_)) == nullptr) return;
  AppendFieldHead(out, kInferResponse, size_);
  AppendTo(out);
}

}  // namespace mlos::api::grpc::tensors
