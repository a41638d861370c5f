// SPDX-License-Identifier: MIT
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "base/result.h"
#include "tensor/dtype.h"

namespace mlos::tensor {

/// Sizes of a tensor's dimensions, outermost first; empty for a scalar.
using Shape = std::vector<std::int64_t>;

/// The most dimensions a tensor may have; numpy's own limit.
inline constexpr std::size_t kRankMax = 64;

/// Product of the sizes: 1 for a scalar, 0 where a dimension is empty. SHAPE_MISMATCH for a
/// negative size, a rank above kRankMax or a product (of the non-zero sizes) that does not fit 62
/// bits.
Result<std::int64_t> ElementCount(std::span<const std::int64_t> shape);

/// ElementCount × ElementSize, checked in the same way.
Result<std::size_t> ByteSize(DType dtype, std::span<const std::int64_t> shape);

/// "[1,3,224,224]", cut after eight dimensions.
std::string ToString(std::span<const std::int64_t> shape);

}  // namespace mlos::tensor
