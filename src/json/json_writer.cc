// SPDX-License-Identifier: MIT
#include "json/json_writer.h"

#include <simdjson.h>

#include <algorithm>
#include <cmath>
#include <limits>

#include "base/text.h"

namespace mlos::json {
namespace {

constexpr std::string_view kReplacement = "\xef\xbf\xbd";  // U+FFFD
// What a byte becomes at most, "\u001f", and a character of four of them, so that one always fits.
constexpr std::size_t kEscapeBytesMax = 6;
constexpr std::size_t kCharacterBytesMax = 4 * kEscapeBytesMax;
constexpr std::size_t kUnlimited = std::numeric_limits<std::size_t>::max();

bool NeedsEscape(char c) { return static_cast<unsigned char>(c) < 0x20 || c == '"' || c == '\\'; }

void AppendEscape(net::ByteBuffer& out, char c) {
  constexpr std::string_view kShort = "\"\\\b\f\n\r\t";
  constexpr std::string_view kLetters = "\"\\bfnrt";
  constexpr std::string_view kDigits = "0123456789abcdef";
  out.Append('\\');
  const std::size_t known = kShort.find(c);
  if (known != std::string_view::npos) {
    out.Append(kLetters[known]);
    return;
  }
  const auto code = static_cast<unsigned char>(c);
  out.Append("u00");
  out.Append(kDigits[code >> 4]);
  out.Append(kDigits[code & 0xf]);
}

void AppendEscaped(net::ByteBuffer& out, std::string_view text) {
  std::size_t start = 0;
  std::size_t i = 0;
  while ((i += PlainLength(text.substr(i))) != text.size()) {
    const char c = text[i++];
    if (!NeedsEscape(c)) continue;
    out.Append(text.substr(start, i - 1 - start));
    AppendEscape(out, c);
    start = i;
  }
  out.Append(text.substr(start));
}

/// The bytes of the characters at the front of `text`, which is UTF-8, within its first
/// `bytes_max`.
std::size_t WholeCharacters(std::string_view text, std::size_t bytes_max) {
  if (text.size() <= bytes_max) return text.size();
  std::size_t count = bytes_max;
  while ((static_cast<unsigned char>(text[count]) & 0xc0) == 0x80) --count;
  return count;
}

}  // namespace

void AppendString(net::ByteBuffer& out, std::string_view text) {
  if (!IsPlain(text)) {
    StringSteps().Append(out, text, kUnlimited);
    return;
  }
  out.Append('"');
  out.Append(text);
  out.Append('"');
}

bool StringSteps::Append(net::ByteBuffer& out, std::string_view text, std::size_t room) {
  // A quote at either end.
  if (room < kCharacterBytesMax + 2) return false;
  const std::size_t end = std::min(room - 2, kUnlimited - out.size()) + out.size();
  if (!begun_) {
    out.Append('"');
    begun_ = true;
    valid_ = simdjson::validate_utf8(text.data(), text.size());
  }
  while (done_ != text.size()) {
    if (end - std::min(end, out.size()) < kCharacterBytesMax) return false;
    const std::string_view rest = text.substr(done_);
    if (valid_) {
      const std::size_t count = WholeCharacters(rest, (end - out.size()) / kEscapeBytesMax);
      AppendEscaped(out, rest.substr(0, count));
      done_ += count;
    } else if (const std::size_t length = Utf8Length(rest); length != 0) {
      AppendEscaped(out, rest.substr(0, length));
      done_ += length;
    } else {
      out.Append(kReplacement);
      ++done_;
    }
  }
  out.Append('"');
  *this = StringSteps();
  return true;
}

void JsonWriter::Number(double number) {
  if (std::isfinite(number)) {
    writer_.Double(number);
  } else {
    writer_.Null();
  }
}

}  // namespace mlos::json
