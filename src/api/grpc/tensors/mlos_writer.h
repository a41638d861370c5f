// SPDX-License-Identifier: MIT
#pragma once

#include <cstddef>
#include <string>
#include <vector>

#include "engine/inference.h"
#include "mlos/v1/inference.pb.h"
#include "net/byte_buffer.h"

namespace mlos::api::grpc::tensors {

/// An InferResponse whose elements are written from the engine's memory. Borrows the response.
class MlosResponse {
 public:
  /// `head` is the response but for its outputs and times.
  MlosResponse(v1::InferResponse head, const engine::InferenceResponse& response);

  std::size_t size() const { return size_; }
  void AppendTo(net::ByteBuffer& out) const;
  /// As the response of an InferBidiResponse, after `envelope`.
  void AppendTo(net::ByteBuffer& out, const v1::InferBidiResponse& envelope) const;

 private:
  struct Output {
    std::string head;  ///< the tensor but for its elements, serialized
    std::size_t elements_size = 0;
  };

  v1::InferResponse head_;
  const engine::InferenceResponse& response_;
  std::vector<Output> outputs_;
  std::size_t head_size_ = 0;
  std::size_t size_ = 0;
};

}  // namespace mlos::api::grpc::tensors
