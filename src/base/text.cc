// SPDX-License-Identifier: MIT
#include "base/text.h"

#include <algorithm>
#include <cstdio>
#include <iterator>

namespace mlos {
namespace {

bool IsContinuation(char c) { return (static_cast<unsigned char>(c) & 0xc0) == 0x80; }

/// Length that the first byte of a sequence announces; 0 for a byte that cannot start one.
std::size_t AnnouncedLength(unsigned char lead) {
  if (lead < 0x80) return 1;
  if (lead >= 0xc2 && lead <= 0xdf) return 2;
  if (lead >= 0xe0 && lead <= 0xef) return 3;
  if (lead >= 0xf0 && lead <= 0xf4) return 4;
  return 0;
}

/// The second byte excludes overlong forms, surrogates and values above U+10FFFF.
bool SecondByteFits(unsigned char lead, unsigned char second) {
  if (lead == 0xe0) return second >= 0xa0;
  if (lead == 0xed) return second <= 0x9f;
  if (lead == 0xf0) return second >= 0x90;
  if (lead == 0xf4) return second <= 0x8f;
  return true;
}

bool IsControl(char c) { return static_cast<unsigned char>(c) < 0x20 || c == 0x7f; }

/// Characters that are obeyed or have no shape, in order: Unicode's classes Cc, Cf, Zl and Zp.
struct Range {
  char32_t first;
  char32_t last;
};
constexpr Range kInvisible[] = {{0x00, 0x1f},       {0x7f, 0x9f},       {0xad, 0xad},
                                {0x600, 0x605},     {0x61c, 0x61c},     {0x6dd, 0x6dd},
                                {0x70f, 0x70f},     {0x890, 0x891},     {0x8e2, 0x8e2},
                                {0x180e, 0x180e},   {0x200b, 0x200f},   {0x2028, 0x202e},
                                {0x2060, 0x206f},   {0xfeff, 0xfeff},   {0xfff9, 0xfffb},
                                {0x110bd, 0x110bd}, {0x110cd, 0x110cd}, {0x13430, 0x1343f},
                                {0x1bca0, 0x1bca3}, {0x1d173, 0x1d17a}, {0xe0001, 0xe007f}};

bool IsInvisible(char32_t character) {
  return std::any_of(std::begin(kInvisible), std::end(kInvisible), [&](const Range& range) {
    return range.first <= character && character <= range.last;
  });
}

/// The code point of a well-formed character.
char32_t Decode(std::string_view character) {
  constexpr unsigned kLeadMask[] = {0x7f, 0x7f, 0x1f, 0x0f, 0x07};
  char32_t point = static_cast<unsigned char>(character.front()) & kLeadMask[character.size()];
  for (const char c : character.substr(1))
    point = point << 6 | (static_cast<unsigned char>(c) & 0x3f);
  return point;
}

/// In UTF-16, as JSON has it.
void AppendEscape(std::string& out, char32_t point) {
  char digits[16];
  if (point < 0x10000) {
    std::snprintf(digits, sizeof(digits), "\\u%04x", static_cast<unsigned>(point));
  } else {
    const auto rest = static_cast<unsigned>(point - 0x10000);
    std::snprintf(digits, sizeof(digits), "\\u%04x\\u%04x", 0xd800 + (rest >> 10),
                  0xdc00 + (rest & 0x3ff));
  }
  out.append(digits);
}

}  // namespace

std::size_t Utf8Length(std::string_view text) {
  const auto lead = static_cast<unsigned char>(text.front());
  const std::size_t length = AnnouncedLength(lead);
  if (length <= 1) return length;
  if (text.size() < length) return 0;
  const std::string_view rest = text.substr(1, length - 1);
  if (!std::all_of(rest.begin(), rest.end(), IsContinuation)) return 0;
  return SecondByteFits(lead, static_cast<unsigned char>(rest.front())) ? length : 0;
}

bool IsValidUtf8(std::string_view text) {
  while (!text.empty()) {
    const std::size_t length = Utf8Length(text);
    if (length == 0) return false;
    text.remove_prefix(length);
  }
  return true;
}

std::string Excerpt(std::string_view text, std::size_t bytes_max) {
  std::string shown;
  while (!text.empty()) {
    const std::size_t length = std::max<std::size_t>(Utf8Length(text), 1);
    if (shown.size() + length > bytes_max) return shown + "…";
    const bool printable = Utf8Length(text) != 0 && !IsControl(text.front());
    shown.append(printable ? text.substr(0, length) : "?");
    text.remove_prefix(length);
  }
  return shown;
}

std::string Escaped(std::string_view text) {
  constexpr char32_t kReplacement = 0xfffd;
  std::string shown;
  shown.reserve(text.size());
  while (!text.empty()) {
    const std::size_t length = Utf8Length(text);
    const std::string_view character = text.substr(0, std::max<std::size_t>(length, 1));
    const char32_t point = length == 0 ? kReplacement : Decode(character);
    if (length == 0 || IsInvisible(point)) {
      AppendEscape(shown, point);
    } else {
      shown.append(character);
    }
    text.remove_prefix(character.size());
  }
  return shown;
}

}  // namespace mlos
