// SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/result.h"
#include "tensor/buffer.h"
#include "tensor/dtype.h"
#include "tensor/shape.h"
#include "tensor/string_ref.h"

namespace mlos::tensor {

/// A dense, row-major tensor and its bytes. Move-only; thread-compatible.
///
/// Invariant: the buffer holds at least ByteSize(dtype, shape). bool is one byte, 0 or 1; float16
/// and bfloat16 are their bits; a string tensor is an array of StringRef whose bytes the buffer
/// owns too.
class Tensor {
 public:
  Tensor() = default;
  /// A tensor of uninitialised elements. SHAPE_MISMATCH or OUT_OF_MEMORY.
  static Result<Tensor> Allocate(DType dtype, Shape shape);
  /// A tensor over `buffer`. SHAPE_MISMATCH if it is too small.
  static Result<Tensor> FromBuffer(DType dtype, Shape shape, Buffer buffer);

  DType dtype() const { return dtype_; }
  const Shape& shape() const { return shape_; }
  std::int64_t element_count() const { return element_count_; }
  std::size_t size_bytes() const {
    return static_cast<std::size_t>(element_count_) * ElementSize(dtype_);
  }
  void* data() const { return buffer_.data(); }
  /// Where data() lies.
  MemoryKind memory() const { return buffer_.memory(); }

  /// The elements as `T`, which must be the type that stands for dtype().
  template <typename T>
  std::span<T> elements() const {
    return {static_cast<T*>(buffer_.data()), static_cast<std::size_t>(element_count_)};
  }

  /// Gives the same elements another shape. SHAPE_MISMATCH if their number differs.
  Status Reshape(Shape shape);

 private:
  DType dtype_ = DType::kUndefined;
  Shape shape_;
  std::int64_t element_count_ = 0;
  Buffer buffer_;
};

/// A tensor and the name of the model's input or output it is for.
struct NamedTensor {
  std::string name;
  Tensor tensor;
};

/// Collects the elements of a string tensor whose number and lengths are not known beforehand.
/// Thread-compatible.
class StringTensorBuilder {
 public:
  void Add(std::string_view element);
  std::size_t size() const { return ends_.size(); }
  /// Bytes held so far, for budgets.
  std::size_t size_bytes() const { return bytes_.size() + ends_.size() * sizeof(StringRef); }
  /// A tensor of `shape`, which must have size() elements. Leaves the builder empty.
  Result<Tensor> Build(Shape shape);

 private:
  std::string bytes_;
  std::vector<std::size_t> ends_;
};

}  // namespace mlos::tensor
