// SPDX-License-Identifier: MIT
#pragma once

#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"

namespace mlos::api::http::guard {

/// `text` as a browser writes an origin: a scheme, a host, and a port that is not the scheme's own
/// ("https://app.example.com", RFC 6454, section 6). INVALID_CONFIG for anything else, "*" and
/// "null" included.
Result<std::string> ParseOrigin(std::string_view text);

/// The pages of other origins that may read answers (CORS, https://fetch.spec.whatwg.org). Origins
/// are named one by one and compared as a whole, so that a page may also send what its user's
/// browser keeps for this server; a "*", which would not stop at the pages meant, does not exist.
/// Thread-safe.
class CrossOrigin {
 public:
  /// Of `origins`, each as ParseOrigin takes it; others are never met.
  explicit CrossOrigin(const std::vector<std::string>& origins);

  /// Whether pages of the origin that a request names may read the answer.
  bool Names(std::optional<std::string_view> origin) const;
  /// The header lines, each with its CRLF, of every answer to a request with that `origin`. Valid
  /// as long as this.
  std::string_view HeadersFor(std::optional<std::string_view> origin) const;

 private:
  /// The lines of each named origin.
  std::map<std::string, std::string, std::less<>> headers_;
};

/// The header lines that allow a page to send what it asks for beforehand: `methods`, any header
/// that means something here, and, if `private_network`, from the Internet to a private address
/// (https://wicg.github.io/private-network-access).
std::string PreflightHeaders(std::string_view methods, bool private_network);

}  // namespace mlos::api::http::guard
