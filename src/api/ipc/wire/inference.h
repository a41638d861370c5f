// SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "api/ipc/wire/fields.h"
#include "base/result.h"
#include "tensor/tensor.h"

namespace mlos::api::ipc::wire {

/// What a frame says of one tensor, and where its bytes lie. Of an output that is asked for only
/// the name and the place count. Borrows its name from the frame.
struct TensorEntry {
  std::string_view name;
  tensor::DType dtype = tensor::DType::kUndefined;
  tensor::Shape shape;
  std::uint32_t region_id = kInline;
  std::uint64_t offset = 0;  ///< in the region, or in the frame's body
  std::uint64_t size_bytes = 0;
};

/// An inference as a client asks for it. Borrows from the frame.
struct InferMessage {
  std::string_view model_id;
  bool fit = false;
  std::uint64_t timeout_us = 0;  ///< 0: none
  std::string_view sequence_id;  ///< empty: it stands alone
  bool sequence_start = false;
  bool sequence_end = false;
  std::vector<TensorEntry> inputs;
  std::vector<TensorEntry> outputs;
};

/// Reads and checks all that can be checked without the model: MALFORMED_REQUEST for a frame that
/// is not of this form, INVALID_FIELD, SHAPE_MISMATCH or DTYPE_MISMATCH with the tensor as field.
/// Inline tensors lie within `body`, aligned; those in regions are checked where those are known.
Result<InferMessage> DecodeInfer(std::string_view body);
/// Writes what DecodeInfer reads: a frame without the bytes of its inline tensors, which the caller
/// has placed.
void EncodeInfer(ByteBuffer& out, std::uint64_t request_id, const InferMessage& message);

/// The answer. Borrows from the frame.
struct ResultMessage {
  std::string_view model_version;
  std::int64_t queue_time_us = 0;
  std::int64_t inference_time_us = 0;
  std::vector<TensorEntry> outputs;
};
Result<ResultMessage> DecodeResult(std::string_view body);
void EncodeResult(ByteBuffer& out, std::uint64_t request_id, const ResultMessage& message);

/// Bytes of the entries and names of `message` in a result's body: where inline tensors may start,
/// aligned to kTensorAlignment.
std::uint64_t ResultHeadBytes(const ResultMessage& message);
std::uint64_t InferHeadBytes(const InferMessage& message);

/// A string tensor as it travels: for each element its length in 4 bytes, then its bytes.
/// SHAPE_MISMATCH with field `name` where the elements do not fill the shape exactly.
Result<tensor::Tensor> DecodeStrings(std::string_view bytes, tensor::Shape shape,
                                     std::string_view name);
std::uint64_t EncodedStringsBytes(const tensor::Tensor& tensor);
/// Writes exactly EncodedStringsBytes.
void EncodeStrings(const tensor::Tensor& tensor, char* out);

}  // namespace mlos::api::ipc::wire
