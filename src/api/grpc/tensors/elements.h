// SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>
#include <string_view>

#include "base/result.h"
#include "net/byte_buffer.h"
#include "resource/byte_budget.h"
#include "tensor/tensor.h"

namespace mlos::api::grpc::tensors {

/// What the tensors of one request take beside its message. Thread-compatible.
class TensorMemory {
 public:
  explicit TensorMemory(resource::ByteBudget& budget) : budget_(budget) {}
  /// Counts `bytes` more.
  Status Add(std::uint64_t bytes) {
    return net::RaiseReservation(budget_, held_, held_.bytes() + bytes);
  }

 private:
  resource::ByteBudget& budget_;
  resource::Reservation held_;
};

/// A tensor over `bytes`, which must stay where they are: the elements row-major and little-endian.
/// Copied only where they are not aligned. SHAPE_MISMATCH where their number is not that of the
/// shape, VALUE_OUT_OF_RANGE for a bool that is neither 0 nor 1. Not for strings.
Result<tensor::Tensor> FromBytes(tensor::DType dtype, tensor::Shape shape, std::string_view bytes,
                                 TensorMemory& memory);

/// A string tensor whose elements stand in `bytes`, which must stay where they are, each behind its
/// length: four bytes, little-endian.
Result<tensor::Tensor> FromPrefixedBytes(tensor::Shape shape, std::string_view bytes,
                                         TensorMemory& memory);

/// A string tensor of `count` elements that `element(i)` gives, which must stay where they are.
template <typename Element>
Result<tensor::Tensor> FromStrings(tensor::Shape shape, std::int64_t count, Element element,
                                   TensorMemory& memory);

/// SHAPE_MISMATCH that tells how many elements or bytes `shape` needs.
Status WrongCount(std::string_view unit, std::uint64_t given, std::uint64_t needed,
                  const tensor::Shape& shape);

template <typename Element>
Result<tensor::Tensor> FromStrings(tensor::Shape shape, std::int64_t count, Element element,
                                   TensorMemory& memory) {
  const std::int64_t needed = MLOS_TRY(tensor::ElementCount(shape));
  if (needed != count) {
    return WrongCount("elements", static_cast<std::uint64_t>(count),
                      static_cast<std::uint64_t>(needed), shape);
  }
  MLOS_TRY(memory.Add(static_cast<std::uint64_t>(count) * sizeof(tensor::StringRef)));
  tensor::Tensor made = MLOS_TRY(tensor::Tensor::Allocate(tensor::DType::kString, shape));
  std::int64_t i = 0;
  for (tensor::StringRef& ref : made.elements<tensor::StringRef>()) {
    const std::string_view text = element(i++);
    ref = {text.data(), text.size()};
  }
  return made;
}

}  // namespace mlos::api::grpc::tensors
