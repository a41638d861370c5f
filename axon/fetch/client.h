// SPDX-License-Identifier: MIT
#pragma once

#include <string>
#include <vector>

#include "axon/fetch/access.h"
#include "axon/fetch/cancel.h"
#include "axon/fetch/exchange.h"
#include "base/result.h"

namespace axon::fetch {

/// A response with its whole body.
struct Response {
  ResponseHead head;
  std::string body;
};

struct ClientOptions {
  Timeouts timeouts;
  int retries_max = 3;
  /// A longer body is PAYLOAD_TOO_LARGE.
  std::size_t body_bytes_max = std::size_t{8} << 20;
  bool follow_redirects = true;
};

/// Asks one endpoint for small documents: redirects are followed as Access allows, transient
/// failures retried. The caller judges a response of any other status. Thread-compatible.
class Client {
 public:
  /// `access` and `cancel` must outlive the client.
  Client(Access& access, const CancelFlag& cancel, ClientOptions options)
      : cancel_(cancel), options_(options), access_(access), exchange_(access, options.timeouts) {}

  mlos::Result<Response> Get(const Url& url) {
    return Send({.method = ExchangeRequest::Method::kGet, .url = url});
  }
  /// Follows redirects within the endpoint's origin only: the headers of the last response are the
  /// endpoint's own statement about a file that lies elsewhere.
  mlos::Result<Response> Head(const Url& url) {
    return Send({.method = ExchangeRequest::Method::kHead, .url = url});
  }
  /// Never retried, because it may have taken effect.
  mlos::Result<Response> Post(const Url& url, std::string json) {
    return Send({.method = ExchangeRequest::Method::kPost, .url = url, .body = std::move(json)});
  }

 private:
  mlos::Result<Response> Send(const ExchangeRequest& request);
  mlos::Result<Response> FollowHops(ExchangeRequest request);
  mlos::Result<Response> SendOnce(const ExchangeRequest& request);
  bool Wait(std::chrono::milliseconds duration) const;

  const CancelFlag& cancel_;
  ClientOptions options_;
  Access& access_;
  Exchange exchange_;
};

}  // namespace axon::fetch
