// SPDX-License-Identifier: MIT
#include "api/http/guard/target.h"

#include <simdjson.h>

#include <algorithm>

#include "base/text.h"

namespace mlos::api::http::guard {
namespace {

int HexDigit(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  return -1;
}

bool IsControl(char c) { return static_cast<unsigned char>(c) < 0x20 || c == 0x7f; }

/// Nothing where `text` is not percent-encoded UTF-8 without control characters.
std::optional<std::string> Decode(std::string_view text) {
  if (IsPlain(text) && text.find('%') == std::string_view::npos) return std::string(text);
  std::string decoded;
  decoded.reserve(text.size());
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] != '%') {
      decoded.push_back(text[i]);
      continue;
    }
    if (text.size() - i < 3) return std::nullopt;
    const int high = HexDigit(text[i + 1]);
    const int low = HexDigit(text[i + 2]);
    if (high < 0 || low < 0) return std::nullopt;
    decoded.push_back(static_cast<char>(high * 16 + low));
    i += 2;
  }
  if (std::any_of(decoded.begin(), decoded.end(), IsControl)) return std::nullopt;
  if (!simdjson::validate_utf8(decoded.data(), decoded.size())) return std::nullopt;
  return decoded;
}

struct Parameter {
  std::string_view name;
  std::string_view value;
};

/// Takes the first parameter off the query.
Parameter TakeParameter(std::string_view& query) {
  const std::size_t end = std::min(query.find('&'), query.size());
  const std::string_view pair = query.substr(0, end);
  query.remove_prefix(std::min(end + 1, query.size()));
  const std::size_t equals = std::min(pair.find('='), pair.size());
  return {pair.substr(0, equals), pair.substr(std::min(equals + 1, pair.size()))};
}

// A parameter that cannot be read would otherwise be as good as none.
Status CheckQuery(std::string_view query) {
  while (!query.empty()) {
    const Parameter parameter = TakeParameter(query);
    const std::optional<std::string> name = Decode(parameter.name);
    if (name && Decode(parameter.value)) continue;
    return Status(Reason::kMalformedRequest,
                  "the query is not percent-encoded UTF-8 without control characters")
        .WithField(name.value_or("query"));
  }
  return OkStatus();
}

}  // namespace

Result<Target> Target::Parse(std::string_view text) {
  Target target;
  target.segments.reserve(4);
  const std::size_t question = text.find('?');
  if (question != std::string_view::npos) target.query = text.substr(question + 1);
  std::string_view path = text.substr(0, question);
  while (!path.empty()) {
    path.remove_prefix(1);
    const std::size_t slash = std::min(path.find('/'), path.size());
    std::optional<std::string> segment = Decode(path.substr(0, slash));
    if (!segment) {
      return Status(Reason::kMalformedRequest,
                    "the path is not percent-encoded UTF-8 without control characters");
    }
    target.segments.push_back(*std::move(segment));
    path.remove_prefix(slash);
  }
  MLOS_TRY(CheckQuery(target.query));
  return target;
}

std::optional<std::string> QueryParameter(std::string_view query, std::string_view name) {
  while (!query.empty()) {
    const Parameter parameter = TakeParameter(query);
    if (parameter.name == name) return Decode(parameter.value);
  }
  return std::nullopt;
}

}  // namespace mlos::api::http::guard
