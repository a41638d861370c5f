// SPDX-License-Identifier: MIT
#pragma once

#include <cstddef>
#include <string_view>
#include <vector>

#include "engine/inference.h"
#include "inference/grpc_service.pb.h"
#include "net/byte_buffer.h"

namespace mlos::api::grpc::tensors {

/// A ModelInferResponse whose raw contents are written from the engine's memory. Borrows the
/// response.
class OipResponse {
 public:
  /// `head` is the response but for its outputs.
  OipResponse(inference::ModelInferResponse head, const engine::InferenceResponse& response);

  std::size_t size() const { return size_; }
  void AppendTo(net::ByteBuffer& out) const;
  /// The same as the infer_response of a ModelStreamInferResponse.
  void AppendStreamedTo(net::ByteBuffer& out) const;

 private:
  inference::ModelInferResponse head_;
  const engine::InferenceResponse& response_;
  std::vector<std::size_t> raw_sizes_;
  std::size_t head_size_ = 0;
  std::size_t size_ = 0;
};

}  // namespace mlos::api::grpc::tensors
