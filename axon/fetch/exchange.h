// SPDX-License-Identifier: MIT
#pragma once

#include <curl/curl.h>

#include <chrono>
#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "axon/fetch/access.h"
#include "axon/fetch/url.h"
#include "base/status.h"

namespace axon::fetch {

inline constexpr int kRedirectsMax = 5;

/// Status line and headers of a response. Plain data.
struct ResponseHead {
  int status = 0;
  /// By lower-case name; of a repeated header the last counts.
  std::map<std::string, std::string, std::less<>> headers;

  /// A header's value; empty if it is absent.
  std::string_view Header(std::string_view name) const;
  /// Content-Length; absent if it is not a number.
  std::optional<std::uint64_t> ContentLength() const;
  bool IsRedirect() const;
  /// 408, 429, 500, 502, 503 and 504: statuses that may be different a moment later.
  bool IsTransient() const;
};

/// Receives a response as it arrives. A Status that is not OK ends the exchange.
class ResponseSink {
 public:
  virtual ~ResponseSink() = default;
  /// Called once, before any byte of the body.
  virtual mlos::Status OnHead(const ResponseHead& head) = 0;
  virtual mlos::Status OnBody(std::string_view bytes) = 0;
};

/// Time limits for servers.
struct Timeouts {
  std::chrono::seconds connect{20};
  /// A transfer slower than `stall_bytes_per_second` for this long is given up.
  std::chrono::seconds stall{30};
  long stall_bytes_per_second = 256;
};

/// One request to one server.
struct ExchangeRequest {
  enum class Method : std::uint8_t { kGet, kHead, kPost };
  Method method = Method::kGet;
  Url url;
  std::vector<std::string> headers;
  /// Sent as application/json with kPost.
  std::string body;
};

/// One request to one server and its response: no redirect is followed and nothing is retried. Adds
/// the token if `access` allows it. Thread-compatible.
class Exchange {
 public:
  /// `access` must outlive the exchange.
  Exchange(Access& access, Timeouts timeouts);
  Exchange(const Exchange&) = delete;
  Exchange& operator=(const Exchange&) = delete;
  ~Exchange();

  /// Prepares handle() for this request and forgets the previous one. `sink` must outlive the
  /// transfer.
  void Begin(const ExchangeRequest& request, ResponseSink& sink);

  /// For curl_easy_perform or a multi handle.
  CURL* handle() const { return handle_; }

  /// The result of the transfer that ended with `code`: OK if a whole response arrived, whatever
  /// its status; the sink's own failure; HOST_NOT_ALLOWED; otherwise NETWORK.
  mlos::Status Finish(CURLcode code);

  const ResponseHead& head() const { return head_; }
  const Url& url() const { return *url_; }

 private:
  void SetBasics(const Url& url);
  void SetHeaders(const ExchangeRequest& request);
  void SetMethod(const ExchangeRequest& request);
  bool ReadHeaderLine(std::string_view line);
  bool DeliverHead();

  static std::size_t OnHeaderLine(char* data, std::size_t size, std::size_t count, void* self);
  static std::size_t OnBodyBytes(char* data, std::size_t size, std::size_t count, void* self);
  static curl_socket_t OnOpenSocket(void* self, curlsocktype purpose, curl_sockaddr* address);

  Access& access_;
  Timeouts timeouts_;
  CURL* handle_;
  curl_slist* header_list_ = nullptr;
  std::string body_;
  ResponseSink* sink_ = nullptr;
  std::optional<Url> url_;
  ResponseHead head_;
  std::size_t header_bytes_ = 0;
  bool head_delivered_ = false;
  bool through_proxy_ = false;
  mlos::Status failure_;
  /// Why the last refused address was not connected to; another address of the same name may have
  /// worked.
  mlos::Status refusal_;
};

/// The target of `head`, the `hops`-th redirect, which came from `from`. NETWORK for a redirect
/// without a usable Location or after kRedirectsMax of them, HOST_NOT_ALLOWED as Access says.
mlos::Result<Url> FollowRedirect(const Access& access, const Url& from, const ResponseHead& head,
                                 int hops);

}  // namespace axon::fetch
