// SPDX-License-Identifier: MIT
#pragma once

#include <optional>
#include <string>

#include "axon/fetch/address.h"
#include "axon/fetch/url.h"
#include "base/status.h"

namespace axon::fetch {

/// Decides which servers axon may contact for one configured endpoint, and which of them may see
/// its token. The user trusts only the endpoint; a redirect is only the word of the server that
/// sends it. So
///  - no redirect leads from https to http;
///  - a server elsewhere must have a public address, or one of the class the endpoint itself has;
///    the check uses the address of the connection, whatever its name resolved to before;
///  - the token goes to the endpoint's exact origin, and over plain http only if that endpoint
///    is not on a public network.
/// Thread-compatible.
class Access {
 public:
  explicit Access(Url endpoint, std::string token = {})
      : endpoint_(std::move(endpoint)), token_(std::move(token)) {}

  const Url& endpoint() const { return endpoint_; }
  bool has_token() const { return !token_.empty(); }

  /// HOST_NOT_ALLOWED if a redirect from `from` must not be followed to `to`.
  mlos::Status CheckRedirect(const Url& from, const Url& to) const;

  /// Whether a connection to `address` may be made for `url`. Learns the endpoint's own class.
  bool Admits(const Url& url, const sockaddr& address);

  /// The token for a request to `url`; empty if it must not be sent.
  std::string_view TokenFor(const Url& url) const;

  /// The proxy for `url` by the environment's HTTPS_PROXY, http_proxy, ALL_PROXY and NO_PROXY;
  /// empty for none, and for this machine (localhost, loopback addresses). Through a proxy it is
  /// the proxy that resolves and connects, so its own address is the one that the user trusts.
  static std::string ProxyFor(const Url& url);

 private:
  bool EndpointIsPublic() const;

  Url endpoint_;
  std::string token_;
  std::optional<AddressClass> endpoint_class_;
};

}  // namespace axon::fetch
