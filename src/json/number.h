// SPDX-License-Identifier: MIT
#pragma once

#include <bit>
#include <cstdint>
#include <string_view>

// The numbers of JSON, and the floats nearest to them.
namespace mlos::json {

/// True for a number of RFC 8259, section 6.
bool IsJsonNumber(std::string_view text);

/// `number`, which was read from `token`, as the float nearest to the text of the token. False
/// where it is out of range.
bool RoundCarefully(double number, std::string_view token, float& out);

/// True where rounding `number` to float gives the float nearest to the text that `number` was read
/// from, because it is a normal float and not half-way between two of them, even if `number` is off
/// by as many units in its last place as `units_lost`.
inline bool RoundsOnce(double number, std::uint64_t units_lost = 0) {
  constexpr std::uint64_t kDroppedBits = (std::uint64_t{1} << 29) - 1;
  constexpr std::uint64_t kHalfWay = std::uint64_t{1} << 28;
  constexpr std::uint64_t kExponentOfMin = 1023 - 126;
  constexpr std::uint64_t kExponents = 253;  // the largest one may still round up to infinity
  const auto bits = std::bit_cast<std::uint64_t>(number);
  const std::uint64_t exponent = (bits >> 52) & 0x7ff;
  return exponent - kExponentOfMin < kExponents &&
         (bits & kDroppedBits) - (kHalfWay - units_lost) > 2 * units_lost;
}

}  // namespace mlos::json
