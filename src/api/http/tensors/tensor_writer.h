// SPDX-License-Identifier: MIT
#pragma once

#include <cstddef>
#include <cstdint>
#include <limits>

#include "json/json_writer.h"
#include "net/byte_buffer.h"
#include "tensor/tensor.h"

namespace mlos::api::http::tensors {

/// Tensors without elements can still have any number of rows, which take room in JSON: above this
/// many they are written as `[]`.
inline constexpr std::int64_t kEmptyRowsMax = 65'536;

/// How the elements of a tensor are arranged in JSON.
enum class Form : std::uint8_t {
  kNested,   ///< nested arrays of the tensor's shape; a scalar as a lone value
  kFlat,     ///< one array in row-major order, whatever the shape
  kElement,  ///< the first element as a lone value, whatever the shape
};

/// A tensor as JSON, written in as many steps as wanted. Numbers have as few digits as bring back
/// the same value; NaN and infinities are the strings "NaN", "Infinity" and "-Infinity"; bool is
/// true or false. See json::AppendString for strings. Borrows the tensor; thread-compatible.
class TensorText {
 public:
  static constexpr std::size_t kNoLimit = std::numeric_limits<std::size_t>::max();

  TensorText(const tensor::Tensor& tensor, Form form);

  /// Appends until `out` has about `size_max` bytes, never more; of at least 1 KiB of room
  /// something is used. True once everything is written; false also if `out` finds no memory, which
  /// its status tells.
  bool Append(net::ByteBuffer& out, std::size_t size_max);
  /// What all of it takes at most.
  std::uint64_t size_max() const;

 private:
  bool AppendRow(net::ByteBuffer& out, std::size_t size_max);
  template <typename T, auto kPut>
  bool AppendElements(net::ByteBuffer& out, std::size_t size_max);
  bool AppendStrings(net::ByteBuffer& out, std::size_t size_max);
  void AppendBrackets(net::ByteBuffer& out);
  std::size_t ArraysEnded();
  template <typename T>
  const T* row_data() const {
    return static_cast<const T*>(tensor_->data()) + row_ * row_size_;
  }

  const tensor::Tensor* tensor_;
  tensor::Shape shape_;  ///< as written: up to the first dimension that is empty
  std::size_t rows_ = 1;
  std::size_t row_size_ = 1;

  std::size_t row_ = 0;           ///< that is being written
  std::size_t row_of_array_ = 0;  ///< the same, counted within the innermost array of rows
  std::size_t column_ = 0;        ///< elements of it that are written
  bool begun_ = false;            ///< brackets before the row are written
  bool ended_ = false;            ///< brackets behind the last row are written
  json::StringSteps string_;      ///< of the element that is being written
};

/// Appends all of `tensor`. A lack of memory is in the status of `out`.
void AppendTensor(net::ByteBuffer& out, const tensor::Tensor& tensor, Form form);

}  // namespace mlos::api::http::tensors
