// SPDX-License-Identifier: MIT
#include "api/http/guard/cross_origin.h"

#include <algorithm>
#include <charconv>
#include <cstdint>
#include <system_error>

#include "api/http/guard/text.h"

namespace mlos::api::http::guard {
namespace {

// What caches and pages need to know of each answer: Content-Type and Content-Length are open to
// pages anyway.
constexpr std::string_view kVary = "Vary: Origin\r\n";
constexpr std::string_view kExposed =
    "Access-Control-Expose-Headers: Allow, Inference-Header-Content-Length, Retry-After\r\n";
// Authorization is for a proxy in front, which may ask for it.
constexpr std::string_view kAllowedHeaders =
    "Access-Control-Allow-Headers: Authorization, Content-Encoding, Content-Type, "
    "Inference-Header-Content-Length, X-Request-Timeout-Ms\r\n"
    "Access-Control-Max-Age: 600\r\n";

Status NoOrigin(std::string_view text) {
  return {Reason::kInvalidConfig,
          "'" + std::string(text) + "' is not an origin such as https://app.example.com"};
}

bool IsHostCharacter(char c) {
  return (c >= 'a' && c <= 'z') || IsDigit(c) || c == '-' || c == '.' || c == '_';
}

bool IsHost(std::string_view text) {
  if (text.starts_with('[') && text.ends_with(']')) {
    return text.size() > 2 && text.find_first_not_of("0123456789abcdef:.", 1) == text.size() - 1;
  }
  return !text.empty() && std::all_of(text.begin(), text.end(), IsHostCharacter);
}

bool IsPort(std::string_view text) {
  std::uint16_t port = 0;
  const auto parsed = std::from_chars(text.data(), text.data() + text.size(), port);
  return IsNumber(text) && parsed.ec == std::errc() && text.front() != '0';
}

}  // namespace

Result<std::string> ParseOrigin(std::string_view text) {
  std::string origin(text);
  std::transform(origin.begin(), origin.end(), origin.begin(),
                 [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c | 0x20) : c; });
  const std::size_t scheme = origin.find("://");
  if (scheme == std::string::npos) return NoOrigin(text);
  const bool http = origin.compare(0, scheme, "http") == 0;
  if (!http && origin.compare(0, scheme, "https") != 0) return NoOrigin(text);
  const std::size_t host = scheme + 3;
  const std::size_t bracket = origin.find(']', host);
  const std::size_t colon = origin.find(':', bracket == std::string::npos ? host : bracket);
  if (!IsHost(std::string_view(origin).substr(host, colon - host))) return NoOrigin(text);
  if (colon == std::string::npos) return origin;
  const std::string_view port = std::string_view(origin).substr(colon + 1);
  if (!IsPort(port)) return NoOrigin(text);
  if (port == (http ? "80" : "443")) origin.resize(colon);
  return origin;
}

CrossOrigin::CrossOrigin(const std::vector<std::string>& origins) {
  for (const std::string& text : origins) {
    const Result<std::string> origin = ParseOrigin(text);
    if (!origin.ok()) continue;
    std::string& lines = headers_[*origin];
    lines = kVary;
    lines.append("Access-Control-Allow-Origin: ").append(*origin).append("\r\n");
    lines.append("Access-Control-Allow-Credentials: true\r\n").append(kExposed);
  }
}

bool CrossOrigin::Names(std::optional<std::string_view> origin) const {
  return origin && headers_.contains(*origin);
}

std::string_view CrossOrigin::HeadersFor(std::optional<std::string_view> origin) const {
  if (headers_.empty()) return {};
  const auto named = origin ? headers_.find(*origin) : headers_.end();
  return named != headers_.end() ? std::string_view(named->second) : kVary;
}

std::string PreflightHeaders(std::string_view methods, bool private_network) {
  std::string lines = "Access-Control-Allow-Methods: ";
  lines.append(methods).append("\r\n").append(kAllowedHeaders);
  if (private_network) lines.append("Access-Control-Allow-Private-Network: true\r\n");
  return lines;
}

}  // namespace mlos::api::http::guard
