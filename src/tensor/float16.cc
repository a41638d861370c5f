// SPDX-License-Identifier: MIT
#include "tensor/float16.h"

#include <bit>

namespace mlos::tensor {
namespace {

// Rounds a double to a binary format with `kExponentBits` and `kMantissaBits`, as IEEE 754 §4.3.1
// says: the mantissa is shifted to its place and the dropped bits decide.
template <int kExponentBits, int kMantissaBits>
std::uint16_t RoundDouble(double value) {
  constexpr int kBias = (1 << (kExponentBits - 1)) - 1;
  constexpr std::uint16_t kInfinity = ((1u << kExponentBits) - 1) << kMantissaBits;
  const auto bits = std::bit_cast<std::uint64_t>(value);
  const auto sign = static_cast<std::uint16_t>((bits >> 63) << (kExponentBits + kMantissaBits));
  const int exponent = static_cast<int>((bits >> 52) & 0x7ff) - 1023;
  const std::uint64_t fraction = bits & ((std::uint64_t{1} << 52) - 1);
  if (exponent == 1024) {  // infinity or NaN
    return sign | kInfinity | (fraction != 0 ? 1u << (kMantissaBits - 1) : 0);
  }
  if (exponent > kBias) return sign | kInfinity;
  // Below the smallest normal exponent the hidden bit is written out and shifted further.
  const int below_normal = exponent < 1 - kBias ? 1 - kBias - exponent : 0;
  const int shift = 52 - kMantissaBits + below_normal;
  if (shift > 53) return sign;
  const std::uint64_t mantissa = fraction | (std::uint64_t{1} << 52);
  std::uint64_t rounded = mantissa >> shift;
  const std::uint64_t dropped = mantissa & ((std::uint64_t{1} << shift) - 1);
  const std::uint64_t half = std::uint64_t{1} << (shift - 1);
  if (dropped > half || (dropped == half && (rounded & 1) != 0)) ++rounded;
  // A normal result still holds the hidden bit, worth one exponent step: hence the bias less one. A
  // carry out of the mantissa raises the exponent by itself, up to infinity.
  const std::uint64_t biased =
      below_normal != 0 ? 0 : static_cast<std::uint64_t>(exponent + kBias - 1);
  return sign | static_cast<std::uint16_t>((biased << kMantissaBits) + rounded);
}

}  // namespace

std::uint16_t Float16FromDouble(double value) { return RoundDouble<5, 10>(value); }

std::uint16_t Bfloat16FromDouble(double value) { return RoundDouble<8, 7>(value); }

float Float16ToFloat(std::uint16_t bits) {
  const std::uint32_t sign = static_cast<std::uint32_t>(bits & 0x8000) << 16;
  const std::uint32_t exponent = (bits >> 10) & 0x1f;
  const std::uint32_t fraction = bits & 0x3ff;
  if (exponent == 0x1f) return std::bit_cast<float>(sign | 0x7f800000 | (fraction << 13));
  if (exponent == 0) {  // zero or subnormal: fraction × 2^-24, exact in a float
    const float magnitude = static_cast<float>(fraction) * 0x1p-24F;
    return sign != 0 ? -magnitude : magnitude;
  }
  return std::bit_cast<float>(sign | ((exponent + 112) << 23) | (fraction << 13));
}

float Bfloat16ToFloat(std::uint16_t bits) {
  return std::bit_cast<float>(static_cast<std::uint32_t>(bits) << 16);
}

}  // namespace mlos::tensor
