// SPDX-License-Identifier: MIT
#include "tensor/raw_bytes.h"

#include <bit>

#include "tensor/string_ref.h"

namespace mlos::tensor {

static_assert(std::endian::native == std::endian::little, "elements are given as they are");

std::size_t RawBytes::Size(const Tensor& tensor) {
  if (tensor.dtype() != DType::kString) return tensor.size_bytes();
  std::size_t size = 0;
  for (const StringRef& element : tensor.elements<StringRef>()) {
    size += sizeof(length_) + element.size;
  }
  return size;
}

std::string_view RawBytes::Next() {
  if (!strings()) {
    next_ = 1;
    return {static_cast<const char*>(tensor_->data()), tensor_->size_bytes()};
  }
  const auto elements = tensor_->elements<StringRef>();
  in_string_ = !in_string_;
  if (!in_string_) return elements[static_cast<std::size_t>(next_ - 1)].view();
  length_ = static_cast<std::uint32_t>(elements[static_cast<std::size_t>(next_++)].size);
  return {reinterpret_cast<const char*>(&length_), sizeof(length_)};
}

}  // namespace mlos::tensor
