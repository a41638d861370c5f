// SPDX-License-Identifier: MIT
#include "json/json_writer.h"

#include <simdjson.h>

#include <cmath>

#include "base/text.h"

namespace mlos::json {
namespace {

constexpr std::string_view kReplacement = "\xef\xbf\xbd";  // U+FFFD

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
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (!NeedsEscape(text[i])) continue;
    out.Append(text.substr(start, i - start));
    AppendEscape(out, text[i]);
    start = i + 1;
  }
  out.Append(text.substr(start));
}

}  // namespace

void AppendString(net::ByteBuffer& out, std::string_view text) {
  out.Append('"');
  if (simdjson::validate_utf8(text.data(), text.size())) {
    AppendEscaped(out, text);
  } else {
    while (!text.empty()) {
      const std::size_t length = Utf8Length(text);
      if (length == 0) {
        out.Append(kReplacement);
        text.remove_prefix(1);
      } else {
        AppendEscaped(out, text.substr(0, length));
        text.remove_prefix(length);
      }
    }
  }
  out.Append('"');
}

void JsonWriter::Number(double number) {
  if (std::isfinite(number)) {
    writer_.Double(number);
  } else {
    writer_.Null();
  }
}

}  // namespace mlos::json
