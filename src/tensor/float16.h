// SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>

namespace mlos::tensor {

/// IEEE 754 binary16 bits of `value`, rounded to nearest, ties to even, as numpy does; overflow is
/// an infinity, NaN stays NaN. From a double, so that decimal text is rounded only once more.
std::uint16_t Float16FromDouble(double value);
float Float16ToFloat(std::uint16_t bits);

/// bfloat16 bits of `value`, rounded to nearest, ties to even.
std::uint16_t Bfloat16FromDouble(double value);
float Bfloat16ToFloat(std::uint16_t bits);

}  // namespace mlos::tensor
