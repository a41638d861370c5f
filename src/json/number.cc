// SPDX-License-Identifier: MIT
#include "json/number.h"

#include <algorithm>
#include <charconv>
#include <cmath>

namespace mlos::json {
namespace {

bool IsDigit(char c) { return c >= '0' && c <= '9'; }

/// Removes the digits at the front of `text`; false where there are none.
bool SkipDigits(std::string_view& text) {
  const auto end = std::find_if_not(text.begin(), text.end(), IsDigit);
  const auto count = static_cast<std::size_t>(end - text.begin());
  text.remove_prefix(count);
  return count != 0;
}

bool Skip(std::string_view& text, std::string_view any_of) {
  if (text.empty() || any_of.find(text.front()) == std::string_view::npos) return false;
  text.remove_prefix(1);
  return true;
}

}  // namespace

bool IsJsonNumber(std::string_view text) {
  Skip(text, "-");
  const bool starts_with_zero = text.starts_with('0');
  const std::size_t length = text.size();
  if (!SkipDigits(text)) return false;
  if (starts_with_zero && length - text.size() > 1) return false;
  if (Skip(text, ".") && !SkipDigits(text)) return false;
  if (Skip(text, "eE")) {
    Skip(text, "+-");
    if (!SkipDigits(text)) return false;
  }
  return text.empty();
}

bool RoundCarefully(double number, std::string_view token, float& out) {
  out = static_cast<float>(number);
  if (number == 0) return true;
  const auto parsed = std::from_chars(token.data(), token.data() + token.size(), out);
  if (parsed.ec != std::errc::result_out_of_range) return parsed.ec == std::errc();
  // Too large, or so small that zero or the smallest float is the nearest.
  out = static_cast<float>(number);
  return std::abs(number) < 1;
}

}  // namespace mlos::json
