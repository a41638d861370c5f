// SPDX-License-Identifier: MIT
#include "api/http/json/float_row.h"

#if defined(__SSE2__)
#include <emmintrin.h>
#endif

#include <algorithm>
#include <bit>
#include <charconv>
#include <cstdint>
#include <cstring>
#include <string_view>
#include <system_error>

#include "api/http/json/number.h"

namespace mlos::api::http::json {
namespace {

static_assert(std::endian::native == std::endian::little);

constexpr std::uint64_t kZeros = 0x3030303030303030;
constexpr std::size_t kStep = 8;
// 10^19 is the largest power of ten below 2^64.
constexpr std::size_t kDigitsMax = 19;

constexpr std::uint64_t kPowersOfTen[] = {1,      10,      100,      1000,     10000,
                                          100000, 1000000, 10000000, 100000000};
// A multiplication is several times as fast as a division.
constexpr double kNegativePowersOfTen[] = {1e0,   1e-1,  1e-2,  1e-3,  1e-4,  1e-5,  1e-6,
                                           1e-7,  1e-8,  1e-9,  1e-10, 1e-11, 1e-12, 1e-13,
                                           1e-14, 1e-15, 1e-16, 1e-17, 1e-18, 1e-19};

/// Eight characters as the values of digits.
std::uint64_t LoadDigits(const char* text) {
  std::uint64_t bytes;
  std::memcpy(&bytes, text, sizeof(bytes));
  return bytes ^ kZeros;
}

/// The number that the first `count` of eight digits, 0 to 8, are.
std::uint64_t ValueOf(std::uint64_t digits, std::size_t count) {
  constexpr std::uint64_t kPairs = 0x000000ff000000ff;
  // Leading zeros take the place of what follows.
  const std::uint64_t kept = count == 0 ? 0 : digits << ((64 - 8 * count) & 63);
  const std::uint64_t tens = kept * 10 + (kept >> 8);
  return (((tens & kPairs) * 0x000f424000000064) +
          (((tens >> 16) & kPairs) * 0x0000271000000001)) >>
         32;
}

/// How many of eight digits, from the first, are digits indeed.
std::size_t CountDigits(std::uint64_t digits) {
  // The high bit of each byte that is none; carries only go to later bytes.
  const std::uint64_t others = (digits | (digits + 0x7676767676767676)) & 0x8080808080808080;
  return others == 0 ? kStep : static_cast<std::size_t>(std::countr_zero(others)) / 8;
}

bool IsSpace(char c) { return c == ' ' || c == '\t' || c == '\n' || c == '\r'; }

const char* SkipSpace(const char* text) {
  while (IsSpace(*text)) ++text;
  return text;
}

/// Reads all the digits at `text` into `number`, and says how many they are; more than kDigitsMax
/// where they are too many to read.
std::size_t ReadDigits(const char* text, std::uint64_t& number) {
  std::size_t count = 0;
  while (true) {
    const std::uint64_t digits = LoadDigits(text + count);
    const std::size_t more = CountDigits(digits);
    count += more;
    if (count > kDigitsMax) return count;
    number = number * kPowersOfTen[more] + ValueOf(digits, more);
    if (more < kStep) return count;
  }
}

/// The float nearest to `number` / 10^`scale`. False where the roundings to double on the way, of
/// the number, the power and the product, may have led to another one.
bool RoundScaled(std::uint64_t number, std::size_t scale, float& out) {
  constexpr std::uint64_t kUnitsLost = 3;
  const double scaled = static_cast<double>(number) * kNegativePowersOfTen[scale];
  out = static_cast<float>(scaled);
  return number == 0 || RoundsOnce(scaled, kUnitsLost);
}

#if defined(__SSE2__)

/// Where a character stands among sixteen, a bit each.
unsigned MaskOf(__m128i bytes, char c) {
  return static_cast<unsigned>(_mm_movemask_epi8(_mm_cmpeq_epi8(bytes, _mm_set1_epi8(c))));
}

/// The digits among sixteen characters, a bit each.
unsigned MaskOfDigits(__m128i bytes) {
  const __m128i values = _mm_sub_epi8(bytes, _mm_set1_epi8('0'));
  const __m128i clamped = _mm_min_epu8(values, _mm_set1_epi8(9));
  return static_cast<unsigned>(_mm_movemask_epi8(_mm_cmpeq_epi8(values, clamped)));
}

/// A number of at most 15 characters with its ',' or ']' right behind; null where it is none, or
/// none that is read so. The search for its end is all that the next number waits for, and no
/// branch depends on its digits: processors read several numbers at once.
[[gnu::always_inline]] inline const char* ReadShort(const char* text, float& out) {
  const __m128i bytes = _mm_loadu_si128(reinterpret_cast<const __m128i*>(text));
  const unsigned ends = MaskOf(bytes, ',') | MaskOf(bytes, ']');
  if (ends == 0) return nullptr;
  const auto length = static_cast<unsigned>(std::countr_zero(ends));
  const unsigned inside = (1U << length) - 1;
  const unsigned points = MaskOf(bytes, '.') & inside;
  const unsigned digits = MaskOfDigits(bytes) & inside;
  const unsigned negative = *text == '-' ? 1 : 0;
  const unsigned has_point = points != 0 ? 1 : 0;
  const auto point = static_cast<unsigned>(std::countr_zero(points | (1U << length)));
  const unsigned whole = point - negative;
  const unsigned scale = length - point - has_point;
  const bool leading_zero = (text[negative] == '0') & (whole != 1);
  const bool two_points = (points & (points - has_point)) != 0;
  if (((digits | points | negative) != inside) | (whole - 1 >= kStep) | two_points | leading_zero |
      ((has_point != 0) & (scale == 0))) {
    return nullptr;
  }
  const unsigned near = std::min(scale, static_cast<unsigned>(kStep));
  const char* const behind_point = text + point + 1;
  std::uint64_t number = ValueOf(LoadDigits(text + negative), whole);
  number = number * kPowersOfTen[near] + ValueOf(LoadDigits(behind_point), near);
  number =
      number * kPowersOfTen[scale - near] + ValueOf(LoadDigits(behind_point + kStep), scale - near);
  if (!RoundScaled(number, scale, out)) return nullptr;
  out = std::bit_cast<float>(std::bit_cast<std::uint32_t>(out) | (negative << 31));
  return text + length;
}

#else

const char* ReadShort(const char* /*text*/, float& /*out*/) { return nullptr; }

#endif

/// A number without an exponent; null where it is none, or none that is read so.
const char* ReadPlain(const char* text, float& out) {
  const bool negative = *text == '-';
  text += negative ? 1 : 0;
  std::uint64_t number = 0;
  const std::size_t whole = ReadDigits(text, number);
  if (whole == 0 || whole > kDigitsMax || (*text == '0' && whole != 1)) return nullptr;
  text += whole;
  std::size_t scale = 0;
  if (*text == '.') {
    scale = ReadDigits(text + 1, number);
    if (scale == 0 || whole + scale > kDigitsMax) return nullptr;
    text += 1 + scale;
  }
  if (*text == 'e' || *text == 'E' || !RoundScaled(number, scale, out)) return nullptr;
  if (negative) out = -out;
  return text;
}

/// Any number; null where it is none, or out of a float's range.
const char* ReadAny(const char* text, const char* end, float& out) {
  const std::string_view rest(text, static_cast<std::size_t>(end - text));
  const std::string_view token = rest.substr(0, rest.find_first_not_of("0123456789+-.eE"));
  if (!IsJsonNumber(token)) return nullptr;
  const auto parsed = std::from_chars(token.data(), token.data() + token.size(), out);
  return parsed.ec == std::errc() ? parsed.ptr : nullptr;
}

}  // namespace

FloatRow ReadFloatRow(const char* text, const char* end, float* out, std::size_t max) {
  FloatRow row;
  row.next = text;
  while (row.count < max) {
    text = SkipSpace(row.next);
    const char* behind = ReadShort(text, out[row.count]);
    if (behind == nullptr) behind = ReadPlain(text, out[row.count]);
    if (behind == nullptr && text < end) behind = ReadAny(text, end, out[row.count]);
    if (behind == nullptr) return row;
    behind = SkipSpace(behind);
    if (behind >= end || (*behind != ',' && *behind != ']')) return row;
    ++row.count;
    row.next = behind + 1;
    if (*behind == ']') {
      row.stop = FloatRow::Stop::kEnd;
      return row;
    }
  }
  row.stop = FloatRow::Stop::kFull;
  return row;
}

}  // namespace mlos::api::http::json
