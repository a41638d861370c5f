// SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "tensor/dtype.h"
#include "tensor/shape.h"

namespace mlos::tensor {

inline constexpr std::int64_t kDynamicSize = -1;

/// One dimension as a model declares it: a fixed size, or kDynamicSize with the symbol the graph
/// gives it ("batch"), if any.
struct Dim {
  std::int64_t size = kDynamicSize;
  std::string symbol;

  bool dynamic() const { return size < 0; }
  bool operator==(const Dim&) const = default;
};

/// The declaration of one input or output of a model.
struct TensorSpec {
  std::string name;
  DType dtype = DType::kUndefined;
  std::vector<Dim> dims;
  /// False if the graph does not even say the rank; `dims` is empty then.
  bool has_shape = true;
  /// False for a graph input with a default value.
  bool required = true;

  bool operator==(const TensorSpec&) const = default;
};

/// "[batch,3,224,224]": symbols if there are any, -1 otherwise; "unknown" without a rank.
std::string ToString(const TensorSpec& spec);

/// Whether a tensor of `shape` may be given for `spec` as it stands: same rank, fixed sizes equal.
bool Accepts(const TensorSpec& spec, std::span<const std::int64_t> shape);

}  // namespace mlos::tensor
