// SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>

#include "base/status.h"
#include "tensor/shape.h"

namespace mlos::api::http::tensors {

/// Learns the shape of nested arrays while they are read, and refuses ragged ones. Depth 0 is the
/// outermost array; elements are at the depth that equals the rank. Thread-compatible.
class ShapeTracker {
 public:
  /// `outer_depth` counts the objects around the array.
  explicit ShapeTracker(std::size_t outer_depth) : outer_depth_(outer_depth) {}

  /// An array starts at `depth`. NESTING_TOO_DEEP, SHAPE_MISMATCH where elements are expected.
  Status Open(std::size_t depth);
  /// The array at `depth` ends after `count` items. SHAPE_MISMATCH where others had more or fewer.
  Status Close(std::size_t depth, std::int64_t count);
  /// An element is at `depth`. SHAPE_MISMATCH where arrays are expected.
  Status Element(std::size_t depth);

  /// True once elements are known to be at `depth`.
  bool HasElementsAt(std::size_t depth) const { return element_depth_ == depth; }
  const tensor::Shape& shape() const { return sizes_; }

 private:
  static constexpr std::size_t kUnknown = SIZE_MAX;

  std::size_t outer_depth_;
  std::size_t element_depth_ = kUnknown;
  /// -1 where no array of that depth has ended yet.
  tensor::Shape sizes_;
};

}  // namespace mlos::api::http::tensors
