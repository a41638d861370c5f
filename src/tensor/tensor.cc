// SPDX-License-Identifier: MIT
#include "tensor/tensor.h"

#include <cstring>

namespace mlos::tensor {

Result<Tensor> Tensor::Allocate(DType dtype, Shape shape) {
  const std::size_t size_bytes = MLOS_TRY(ByteSize(dtype, shape));
  return FromBuffer(dtype, std::move(shape), MLOS_TRY(Buffer::Allocate(size_bytes)));
}

Result<Tensor> Tensor::FromBuffer(DType dtype, Shape shape, Buffer buffer) {
  const std::size_t size_bytes = MLOS_TRY(ByteSize(dtype, shape));
  if (buffer.size_bytes() < size_bytes) {
    return Status(Reason::kShapeMismatch, "shape " + ToString(shape) + " of " +
                                              std::string(Name(dtype)) + " needs " +
                                              std::to_string(size_bytes) + " bytes, not " +
                                              std::to_string(buffer.size_bytes()));
  }
  Tensor tensor;
  tensor.element_count_ = MLOS_TRY(ElementCount(shape));
  tensor.dtype_ = dtype;
  tensor.shape_ = std::move(shape);
  tensor.buffer_ = std::move(buffer);
  return tensor;
}

Status Tensor::Reshape(Shape shape) {
  if (MLOS_TRY(ElementCount(shape)) != element_count_) {
    return {Reason::kShapeMismatch, "shape " + ToString(shape) + " does not hold " +
                                        std::to_string(element_count_) + " elements"};
  }
  shape_ = std::move(shape);
  return OkStatus();
}

void StringTensorBuilder::Add(std::string_view element) {
  bytes_.append(element);
  ends_.push_back(bytes_.size());
}

// One block: the StringRefs first, then the bytes they point to.
Result<Tensor> StringTensorBuilder::Build(Shape shape) {
  const std::size_t refs_bytes = ends_.size() * sizeof(StringRef);
  Buffer buffer = MLOS_TRY(Buffer::Allocate(refs_bytes + bytes_.size()));
  auto* refs = static_cast<StringRef*>(buffer.data());
  char* bytes = static_cast<char*>(buffer.data()) + refs_bytes;
  if (!bytes_.empty()) std::memcpy(bytes, bytes_.data(), bytes_.size());
  std::size_t start = 0;
  for (std::size_t i = 0; i < ends_.size(); ++i) {
    refs[i] = {bytes + start, ends_[i] - start};
    start = ends_[i];
  }
  const std::size_t count = ends_.size();
  bytes_.clear();
  ends_.clear();
  Tensor tensor = MLOS_TRY(Tensor::FromBuffer(DType::kString, std::move(shape), std::move(buffer)));
  if (static_cast<std::size_t>(tensor.element_count()) != count) {
    return Status(Reason::kShapeMismatch, "shape " + ToString(tensor.shape()) + " does not hold " +
                                              std::to_string(count) + " strings");
  }
  return tensor;
}

}  // namespace mlos::tensor
