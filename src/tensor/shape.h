// SPDX-License-Identifier: MIT
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <initializer_list>
#include <iterator>
#include <memory>
#include <span>
#include <string>
#include <utility>

#include "base/result.h"
#include "tensor/dtype.h"

namespace mlos::tensor {

/// Sizes of a tensor's dimensions, outermost first; empty for a scalar. A sequence like
/// std::vector, except that up to rank 4, which a batch of images has, it allocates nothing: every
/// request makes several of them. A move leaves an empty shape. Thread-compatible.
class Shape {
 public:
  Shape() = default;
  Shape(std::initializer_list<std::int64_t> sizes) : Shape(sizes.begin(), sizes.end()) {}
  /// A shape of `rank` dimensions of equal `size`.
  Shape(std::size_t rank, std::int64_t size) {
    Grow(rank);
    std::fill_n(data(), rank, size);
    rank_ = rank;
  }
  template <std::forward_iterator Iterator>
  Shape(Iterator first, Iterator last) {
    append(first, last);
  }
  Shape(const Shape& other) : Shape(other.begin(), other.end()) {}
  Shape(Shape&& other) noexcept { *this = std::move(other); }
  Shape& operator=(const Shape& other) {
    if (this != &other) *this = Shape(other);
    return *this;
  }
  Shape& operator=(Shape&& other) noexcept {
    std::copy_n(other.place_, kInPlace, place_);
    heap_ = std::move(other.heap_);
    capacity_ = std::exchange(other.capacity_, kInPlace);
    rank_ = std::exchange(other.rank_, 0);
    return *this;
  }
  ~Shape() = default;

  std::int64_t* data() { return heap_ == nullptr ? place_ : heap_.get(); }
  const std::int64_t* data() const { return heap_ == nullptr ? place_ : heap_.get(); }
  std::size_t size() const { return rank_; }
  bool empty() const { return rank_ == 0; }
  std::int64_t* begin() { return data(); }
  std::int64_t* end() { return data() + rank_; }
  const std::int64_t* begin() const { return data(); }
  const std::int64_t* end() const { return data() + rank_; }
  std::int64_t& operator[](std::size_t index) { return data()[index]; }
  std::int64_t operator[](std::size_t index) const { return data()[index]; }
  /// Requires at least one dimension.
  std::int64_t back() const { return data()[rank_ - 1]; }

  void push_back(std::int64_t size) {
    if (rank_ == capacity_) Grow(2 * rank_);
    data()[rank_++] = size;
  }
  /// Adds inner dimensions, which are not this shape's own.
  template <std::forward_iterator Iterator>
  void append(Iterator first, Iterator last) {
    const std::size_t rank = rank_ + static_cast<std::size_t>(std::distance(first, last));
    if (rank > capacity_) Grow(rank);
    std::copy(first, last, end());
    rank_ = rank;
  }

  friend bool operator==(const Shape& a, const Shape& b) {
    return std::equal(a.begin(), a.end(), b.begin(), b.end());
  }

 private:
  static constexpr std::size_t kInPlace = 4;

  void Grow(std::size_t capacity);

  std::int64_t place_[kInPlace] = {};
  std::unique_ptr<std::int64_t[]> heap_;  // in place of place_
  std::size_t capacity_ = kInPlace;
  std::size_t rank_ = 0;
};

/// The most dimensions a tensor may have; numpy's own limit.
inline constexpr std::size_t kRankMax = 64;

/// Product of the sizes: 1 for a scalar, 0 if a dimension is empty. SHAPE_MISMATCH for a
/// negative size, a rank above kRankMax or a product (of the non-zero sizes) that does not fit 62
/// bits.
Result<std::int64_t> ElementCount(std::span<const std::int64_t> shape);

/// ElementCount × ElementSize, checked in the same way.
Result<std::size_t> ByteSize(DType dtype, std::span<const std::int64_t> shape);

/// "[1,3,224,224]", cut after eight dimensions.
std::string ToString(std::span<const std::int64_t> shape);

}  // namespace mlos::tensor
