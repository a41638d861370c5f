// SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "base/result.h"

namespace axon::fetch {

/// An http or https address without user name or password. A Url that exists is valid.
/// Thread-compatible.
class Url {
 public:
  /// INVALID_FIELD for another scheme, user information, spaces, control or non-ASCII characters.
  static mlos::Result<Url> Parse(std::string_view text);

  /// Resolves a reference from a redirect or a Link against this address (RFC 3986, section 5).
  mlos::Result<Url> Resolve(std::string_view reference) const;

  /// "https" or "http".
  const std::string& scheme() const { return scheme_; }
  /// Lower case; an IPv6 address without its brackets.
  const std::string& host() const { return host_; }
  std::uint16_t port() const { return port_; }
  /// The whole address, without fragment.
  const std::string& text() const { return text_; }
  /// "https://host:port": what tokens are bound to.
  std::string Origin() const;
  /// The address without its query, which may hold a signature: for messages.
  std::string Shown() const;

  bool SameOrigin(const Url& other) const {
    return scheme_ == other.scheme_ && host_ == other.host_ && port_ == other.port_;
  }
  bool operator==(const Url& other) const { return text_ == other.text_; }

 private:
  Url() = default;
  std::string scheme_;
  std::string host_;
  std::string text_;
  std::uint16_t port_ = 0;
};

/// `text` percent-encoded for one path segment; with `keep_slashes` for a path.
std::string PercentEncode(std::string_view text, bool keep_slashes = false);

}  // namespace axon::fetch
