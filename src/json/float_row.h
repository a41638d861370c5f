// SPDX-License-Identifier: MIT
#pragma once

#include <cstddef>

namespace mlos::json {

/// How far a row of numbers was read.
struct FloatRow {
  enum class Stop {
    kEnd,   ///< behind the ']' that ends the row
    kFull,  ///< no room for another number
    kOther  ///< at what is no number, or none that a float can be
  };
  Stop stop = Stop::kOther;
  /// Where the next number starts, or behind the row.
  const char* next = nullptr;
  std::size_t count = 0;
};

/// Reads numbers of RFC 8259 with commas between them, as many as `max`, each as the float nearest
/// to it. `text` is behind '[' or where the last call stopped for want of room, and has 32 readable
/// bytes behind `end`.
///
/// Nearly all numbers in tensors have at most 16 characters and no exponent. Their digits are read
/// at once, in the lanes of one register, longer ones eight digits a step (parse_eight_digits of
/// https://arxiv.org/abs/2101.11408, section 4), and scaled by one multiplication; std::from_chars
/// reads the others, and those too near half-way between two floats.
FloatRow ReadFloatRow(const char* text, const char* end, float* out, std::size_t max);

}  // namespace mlos::json
