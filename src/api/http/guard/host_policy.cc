// SPDX-License-Identifier: MIT
#include "api/http/guard/host_policy.h"

#include <algorithm>

#include "api/http/guard/text.h"

namespace mlos::api::http::guard {
namespace {

/// "localhost:8080" → "localhost", "[::1]:8080" → "::1", "example.com." → "example.com"; empty
/// where it is no host with an optional port.
std::string_view HostWithoutPort(std::string_view text) {
  std::string_view port;
  if (text.starts_with('[')) {
    const std::size_t end = text.find(']');
    if (end == std::string_view::npos) return {};
    port = text.substr(end + 1);
    text = text.substr(1, end - 1);
  } else {
    const std::size_t colon = std::min(text.find(':'), text.size());
    port = text.substr(colon);
    text = text.substr(0, colon);
    if (text.ends_with('.')) text.remove_suffix(1);
  }
  const bool port_is_valid = port.empty() || (port.front() == ':' && IsNumber(port.substr(1)));
  return port_is_valid ? text : std::string_view();
}

/// The host of an origin, "https://example.com:443" (RFC 6454); empty for "null" and the like.
std::string_view OriginHost(std::string_view origin) {
  for (const std::string_view scheme : {"http://", "https://"}) {
    if (EqualsIgnoreCase(origin.substr(0, scheme.size()), scheme)) {
      return HostWithoutPort(origin.substr(scheme.size()));
    }
  }
  return {};
}

}  // namespace

HostPolicy::HostPolicy(const std::vector<std::string>& allowed_hosts,
                       std::string_view bound_address)
    : hosts_{"localhost", "127.0.0.1", "::1", std::string(bound_address)} {
  for (const std::string& host : allowed_hosts) {
    any_ = any_ || host == "*";
    hosts_.emplace_back(HostWithoutPort(host));
  }
}

Status HostPolicy::Check(const Claims& claims) const {
  if (any_) return OkStatus();
  // Only HTTP/1.0 gets here without a Host, and no browser speaks that.
  if (claims.host && !Allows(HostWithoutPort(*claims.host), claims.local_address)) {
    return {Reason::kHostNotAllowed,
            "this server does not answer to the name in the header Host; --allowed-hosts adds one"};
  }
  if (claims.origin && !Allows(OriginHost(*claims.origin), claims.local_address)) {
    return {Reason::kOriginNotAllowed,
            "this server does not answer pages of the origin in the header Origin; "
            "--cors-origins adds the origin, --allowed-hosts its host"};
  }
  return OkStatus();
}

bool HostPolicy::Allows(std::string_view host, std::string_view local_address) const {
  if (host.empty()) return false;
  if (EqualsIgnoreCase(host, local_address)) return true;
  return std::any_of(hosts_.begin(), hosts_.end(),
                     [&](const std::string& allowed) { return EqualsIgnoreCase(host, allowed); });
}

}  // namespace mlos::api::http::guard
