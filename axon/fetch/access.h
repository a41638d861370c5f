// SPDX-License-Identifier: MIT
#pragma once

#include <optional>
#include <string>

#include "axon/fetch/address.h"
#include "axon/fetch/url.h"
#include "base/status.h"

namespace axon::fetch {

/// Which servers may be spoken to on behalf of one configured endpoint, and which of them may see
/// its token. The user vouches for the endpoint and for nothing else: where a server sends us is
/// that server's word, so
///  - no redirect leads from https to http;
///  - a server elsewhere must have a public address, or one of the class the endpoint itself has;
///    the address looked at is the one connected to, whatever its name resolved to before;
///  - the token goes to the endpoint's exact origin, and over plain http only where that endpoint
///    is not on a public network.
/// Thread-compatible.
class Access {
 public:
  explicit Access(Url endpoint, std::string token = {})
      : endpoint_(std::move(endpoint)), token_(std::move(token)) {}

  const Url& endpoint() const { return endpoint_; }
  bool has_token() const { return !token_.empty(); }

  /// HOST_NOT_ALLOWED where a redirect from `from` must not be followed to `to`.
  mlos::Status CheckRedirect(const Url& from, const Url& to) const;

  /// Whether a connection to `address` may be made for `url`. Learns the endpoint's own class.
  bool Admits(const Url& url, const sockaddr& address);

  /// The token for a request to `url`; empty where it must not be sent.
  std::string_view TokenFor(const Url& url) const;

  /// The proxy for `url` by the environment's HTTPS_PROXY, http_proxy, ALL_PROXY and NO_PROXY;
  /// empty for none. Through a proxy it is the proxy that resolves and connects, so that its own
  /// address is the one the user vouched for.
  static std::string ProxyFor(const Url& url);

 private:
  bool EndpointIsPublic() const;

  Url endpoint_;
  std::string token_;
  std::optional<AddressClass> endpoint_class_;
};

}  // namespace axon::fetch
