// SPDX-License-Identifier: MIT
#include "json/float_row.h"

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

#include "json/number.h"

namespace mlos::json {
namespace {

static_assert(std::endian::native == std::endian::little);

constexpr std::uint64_t kZeros = 0x3030303030303030;
constexpr std::size_t kStep = 8;
// What ReadShort reads before a number.
constexpr std::size_t kBytesBefore = 16;
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

// Sixteen bytes read from `kTail + n` have the last n lanes set.
alignas(32) constexpr std::uint8_t kTail[32] = {
    0,    0,    0,    0,    0,    0,    0,    0,    0,    0,    0,    0,    0,    0,    0,    0,
    0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff};

__m128i Load(const void* bytes) { return _mm_loadu_si128(static_cast<const __m128i*>(bytes)); }

/// The number that sixteen values of digits are, the first one the highest.
std::uint64_t ValueOfSixteen(__m128i digits) {
  const __m128i low_byte = _mm_set1_epi16(0xff);
  const __m128i twos =
      _mm_add_epi16(_mm_mullo_epi16(_mm_and_si128(digits, low_byte), _mm_set1_epi16(10)),
                    _mm_srli_epi16(digits, 8));
  const __m128i fours = _mm_madd_epi16(twos, _mm_set1_epi32(100 + (1 << 16)));
  const __m128i packed = _mm_packs_epi32(fours, fours);
  const __m128i eights = _mm_madd_epi16(packed, _mm_set1_epi32(10000 + (1 << 16)));
  const auto both = static_cast<std::uint64_t>(_mm_cvtsi128_si64(eights));
  return (both & 0xffffffff) * 100000000 + (both >> 32);
}

/// A number of at most 16 characters with its ',' or ']' right behind; null where it is none, or
/// none that is read so. The sixteen bytes before `text` are read too, whatever they are. The
/// search for its end is all that the next number waits for, and no branch depends on its digits:
/// processors read several numbers at once.
[[gnu::always_inline]] inline const char* ReadShort(const char* text, float& out) {
  const __m128i bytes = Load(text);
  const unsigned digits = MaskOfDigits(bytes);
  const unsigned points = MaskOf(bytes, '.');
  const unsigned negative = *text == '-' ? 1 : 0;
  const unsigned inside = digits | (points & -points) | negative;
  const auto length = static_cast<unsigned>(std::countr_one(inside));
  const char* const end = text + length;
  const auto point = static_cast<unsigned>(std::countr_zero(points | (1U << length)));
  const unsigned has_point = length != point ? 1 : 0;
  const unsigned scale = length - point - has_point;
  const unsigned whole = point - negative;
  // A digit first and last, and no 0 before another digit.
  const unsigned bounded = (digits >> negative) & ((digits << 1) >> length) & 1;
  const unsigned leading_zero = (text[negative] == '0' ? 1 : 0) & (whole != 1 ? 1 : 0);
  if ((bounded & ~leading_zero) == 0 || (*end != ',' && *end != ']')) return nullptr;
  // The digits end with the last lane once those before the point have moved into its place.
  const __m128i behind_point = Load(kTail + scale);
  const __m128i moved = _mm_or_si128(_mm_and_si128(behind_point, Load(end - 16)),
                                     _mm_andnot_si128(behind_point, Load(end - 16 - has_point)));
  const __m128i values =
      _mm_and_si128(_mm_sub_epi8(moved, _mm_set1_epi8('0')), Load(kTail + whole + scale));
  float magnitude = 0;
  if (!RoundScaled(ValueOfSixteen(values), scale, magnitude)) return nullptr;
  out = std::bit_cast<float>(std::bit_cast<std::uint32_t>(magnitude) | (negative << 31));
  return end;
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
  const char* const short_from = text + kBytesBefore;
  FloatRow row{.next = text};
  while (row.count < max) {
    text = SkipSpace(row.next);
    const char* behind = text < short_from ? nullptr : ReadShort(text, out[row.count]);
    if (behind == nullptr) {
      behind = ReadPlain(text, out[row.count]);
      if (behind == nullptr && text < end) behind = ReadAny(text, end, out[row.count]);
      if (behind == nullptr) return row;
      behind = SkipSpace(behind);
    }
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

}  // namespace mlos::json
