// SPDX-License-Identifier: MIT
#include "api/http/wire/coding.h"

#include <algorithm>

#include "api/http/guard/text.h"

namespace mlos::api::http::wire {
namespace {

constexpr int kFullWeight = 1000;

/// "0.5" in thousandths; 0 for what is no weight.
int ParseWeight(std::string_view text) {
  if (text.empty() || (text[0] != '0' && text[0] != '1')) return 0;
  int weight = (text[0] - '0') * kFullWeight;
  text.remove_prefix(1);
  if (text.empty()) return weight;
  if (text[0] != '.' || text.size() > 4) return 0;
  int unit = kFullWeight / 10;
  for (const char c : text.substr(1)) {
    if (!guard::IsDigit(c)) return 0;
    weight += (c - '0') * unit;
    unit /= 10;
  }
  return std::min(weight, kFullWeight);
}

/// The weight of "gzip;q=0.5".
int WeightOf(std::string_view parameters) {
  parameters = guard::TrimBlanks(parameters);
  if (parameters.empty()) return kFullWeight;
  if (!parameters.starts_with("q=") && !parameters.starts_with("Q=")) return 0;
  return ParseWeight(parameters.substr(2));
}

}  // namespace

std::string_view ToString(ContentCoding coding) {
  switch (coding) {
    case ContentCoding::kGzip:
      return "gzip";
    case ContentCoding::kDeflate:
      return "deflate";
    default:
      return "";
  }
}

std::optional<ContentCoding> ParseCoding(std::string_view content_encoding) {
  using guard::EqualsIgnoreCase;
  if (EqualsIgnoreCase(content_encoding, "identity")) return ContentCoding::kIdentity;
  if (EqualsIgnoreCase(content_encoding, "deflate")) return ContentCoding::kDeflate;
  if (EqualsIgnoreCase(content_encoding, "gzip") || EqualsIgnoreCase(content_encoding, "x-gzip")) {
    return ContentCoding::kGzip;
  }
  return std::nullopt;
}

ContentCoding ChooseCoding(std::string_view accept_encoding) {
  int gzip = 0;
  int deflate = 0;
  while (!accept_encoding.empty()) {
    const std::size_t end = std::min(accept_encoding.find(','), accept_encoding.size());
    const std::string_view item = accept_encoding.substr(0, end);
    accept_encoding.remove_prefix(std::min(end + 1, accept_encoding.size()));
    const std::size_t semicolon = std::min(item.find(';'), item.size());
    const auto coding = ParseCoding(guard::TrimBlanks(item.substr(0, semicolon)));
    if (!coding) continue;
    const int weight = WeightOf(item.substr(std::min(semicolon + 1, item.size())));
    if (*coding == ContentCoding::kGzip) gzip = weight;
    if (*coding == ContentCoding::kDeflate) deflate = weight;
  }
  if (gzip == 0 && deflate == 0) return ContentCoding::kIdentity;
  return gzip >= deflate ? ContentCoding::kGzip : ContentCoding::kDeflate;
}

}  // namespace mlos::api::http::wire
