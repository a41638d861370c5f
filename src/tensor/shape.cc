// SPDX-License-Identifier: MIT
#include "tensor/shape.h"

#include <algorithm>

namespace mlos::tensor {
namespace {

// Bytes and elements stay below 2^62, so that sums of a few of them cannot overflow either.
constexpr std::int64_t kSizeMax = std::int64_t{1} << 62;

Status Overflow(std::span<const std::int64_t> shape) {
  return {Reason::kShapeMismatch,
          "shape " + ToString(shape) + " has more elements than can be counted"};
}

}  // namespace

void Shape::Grow(std::size_t capacity) {
  if (capacity <= capacity_) return;
  auto larger = std::make_unique_for_overwrite<std::int64_t[]>(capacity);
  std::copy(begin(), end(), larger.get());
  heap_ = std::move(larger);
  capacity_ = capacity;
}

Result<std::int64_t> ElementCount(std::span<const std::int64_t> shape) {
  if (shape.size() > kRankMax) {
    return Status(Reason::kShapeMismatch,
                  "rank " + std::to_string(shape.size()) + " is above the limit of 64");
  }
  // Zeros are set aside: [2^40, 2^40, 0] is as absurd as [2^40, 2^40].
  std::int64_t product = 1;
  bool empty = false;
  for (const std::int64_t size : shape) {
    if (size < 0) {
      return Status(Reason::kShapeMismatch, "shape " + ToString(shape) + " has a negative size");
    }
    if (size == 0) {
      empty = true;
      continue;
    }
    if (__builtin_mul_overflow(product, size, &product) || product >= kSizeMax) {
      return Overflow(shape);
    }
  }
  return empty ? 0 : product;
}

Result<std::size_t> ByteSize(DType dtype, std::span<const std::int64_t> shape) {
  const std::int64_t count = MLOS_TRY(ElementCount(shape));
  std::int64_t bytes = 0;
  if (__builtin_mul_overflow(count, static_cast<std::int64_t>(ElementSize(dtype)), &bytes) ||
      bytes >= kSizeMax) {
    return Overflow(shape);
  }
  return static_cast<std::size_t>(bytes);
}

std::string ToString(std::span<const std::int64_t> shape) {
  constexpr std::size_t kShown = 8;
  std::string text = "[";
  for (std::size_t i = 0; i < std::min(shape.size(), kShown); ++i) {
    if (i > 0) text += ',';
    text += std::to_string(shape[i]);
  }
  if (shape.size() > kShown) text += ",…";
  return text += ']';
}

}  // namespace mlos::tensor
