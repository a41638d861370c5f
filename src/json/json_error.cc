// SPDX-License-Identifier: MIT
#include "json/json_error.h"

namespace mlos::json {
namespace {

constexpr std::size_t kQuotedBytesMax = 64;

bool ContinuesCharacter(char c) { return (static_cast<unsigned char>(c) & 0xc0) == 0x80; }

}  // namespace

Status JsonError(simdjson::error_code error) {
  switch (error) {
    case simdjson::MEMALLOC:
      return {Reason::kOutOfMemory, "there is no memory to parse the body"};
    case simdjson::CAPACITY:
      return {Reason::kPayloadTooLarge, "the body is longer than the 4 GiB that can be parsed"};
    case simdjson::DEPTH_ERROR:
      return {Reason::kNestingTooDeep,
              "the body is nested deeper than " + std::to_string(kDepthMax) + " levels"};
    case simdjson::UTF8_ERROR:
      return {Reason::kMalformedJson, "the body is not valid UTF-8"};
    case simdjson::EMPTY:
      return {Reason::kMalformedJson, "the body is empty; a JSON object is expected"};
    case simdjson::NUMBER_ERROR:
      return {Reason::kMalformedJson,
              "the body is not valid JSON: a number is malformed or too large"};
    case simdjson::STRING_ERROR:
    case simdjson::UNESCAPED_CHARS:
    case simdjson::UNCLOSED_STRING:
      return {Reason::kMalformedJson, "the body is not valid JSON: a string is malformed"};
    case simdjson::TRAILING_CONTENT:
      return {Reason::kMalformedJson, "the body is not valid JSON: something follows its end"};
    default:
      return {Reason::kMalformedJson,
              "the body is not valid JSON: a comma, colon, bracket or brace is missing or "
              "superfluous"};
  }
}

std::string Quote(std::string_view text) {
  std::size_t length = text.size();
  if (length > kQuotedBytesMax) {
    length = kQuotedBytesMax;
    while (length > 0 && ContinuesCharacter(text[length])) --length;
  }
  return "'" + std::string(text.substr(0, length)) + (length < text.size() ? "…'" : "'");
}

}  // namespace mlos::json
