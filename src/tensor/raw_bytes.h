// SPDX-License-Identifier: MIT
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

#include "tensor/tensor.h"

namespace mlos::tensor {

/// A tensor as the Open Inference Protocol has it in binary, over HTTP and gRPC: its elements
/// row-major and little-endian, a bool in one byte, a string behind its length in four bytes. Gives
/// the bytes where they are, one run after the other. Borrows the tensor; thread-compatible.
class RawBytes {
 public:
  explicit RawBytes(const Tensor& tensor) : tensor_(&tensor) {}

  /// All bytes together.
  static std::size_t Size(const Tensor& tensor);
  /// The next bytes, which may be none. The length of a string stays until the next call. Requires
  /// !ended().
  std::string_view Next();
  bool ended() const { return next_ == (strings() ? tensor_->element_count() : 1) && !in_string_; }

 private:
  bool strings() const { return tensor_->dtype() == DType::kString; }

  const Tensor* tensor_;
  std::int64_t next_ = 0;   ///< string, or 1 once everything else is given
  bool in_string_ = false;  ///< the length of string `next_` - 1 was given
  std::uint32_t length_ = 0;
};

/// Appends all of them to a buffer that has `Append(std::string_view)`.
template <typename Buffer>
void AppendRaw(Buffer& out, const Tensor& tensor) {
  for (RawBytes bytes(tensor); !bytes.ended();) out.Append(bytes.Next());
}

}  // namespace mlos::tensor
