// SPDX-License-Identifier: MIT
#include "axon/fetch/exchange.h"

#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <cctype>
#include <charconv>
#include <cstdlib>

#include "base/check.h"

namespace axon::fetch {
namespace {

using mlos::Reason;
using mlos::Status;

constexpr std::size_t kHeaderBytesMax = 64 << 10;

std::string_view Trimmed(std::string_view text) {
  while (!text.empty() && std::isspace(static_cast<unsigned char>(text.front()))) {
    text.remove_prefix(1);
  }
  while (!text.empty() && std::isspace(static_cast<unsigned char>(text.back()))) {
    text.remove_suffix(1);
  }
  return text;
}

std::string LowerCase(std::string_view text) {
  std::string lower(text);
  std::transform(lower.begin(), lower.end(), lower.begin(),
                 [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
  return lower;
}

bool GlobalInitDone() {
  static const bool done = curl_global_init(CURL_GLOBAL_DEFAULT) == CURLE_OK;
  return done;
}

}  // namespace

std::string_view ResponseHead::Header(std::string_view name) const {
  const auto found = headers.find(name);
  return found == headers.end() ? std::string_view() : std::string_view(found->second);
}

std::optional<std::uint64_t> ResponseHead::ContentLength() const {
  const std::string_view text = Header("content-length");
  std::uint64_t length = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), length);
  if (text.empty() || error != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return length;
}

bool ResponseHead::IsRedirect() const {
  return status == 301 || status == 302 || status == 303 || status == 307 || status == 308;
}

bool ResponseHead::IsTransient() const {
  return status == 408 || status == 429 || status == 500 || (status >= 502 && status <= 504);
}

Exchange::Exchange(Access& access, Timeouts timeouts)
    : access_(access), timeouts_(timeouts), handle_(GlobalInitDone() ? curl_easy_init() : nullptr) {
  MLOS_CHECK(handle_ != nullptr, "libcurl gives no handle");
}

Exchange::~Exchange() {
  curl_easy_cleanup(handle_);
  curl_slist_free_all(header_list_);
}

void Exchange::Begin(const ExchangeRequest& request, ResponseSink& sink) {
  curl_easy_reset(handle_);
  sink_ = &sink;
  url_ = request.url;
  head_ = {};
  header_bytes_ = 0;
  head_delivered_ = false;
  failure_ = mlos::OkStatus();
  refusal_ = mlos::OkStatus();
  SetBasics(request.url);
  SetMethod(request);
  SetHeaders(request);
}

void Exchange::SetBasics(const Url& url) {
  curl_easy_setopt(handle_, CURLOPT_URL, url.text().c_str());
  curl_easy_setopt(handle_, CURLOPT_PROTOCOLS_STR, "http,https");
  // The caller follows redirects, so that Access judges each of them.
  curl_easy_setopt(handle_, CURLOPT_FOLLOWLOCATION, 0L);
  // Credentials come only from axon's own settings.
  curl_easy_setopt(handle_, CURLOPT_NETRC, static_cast<long>(CURL_NETRC_IGNORED));
  curl_easy_setopt(handle_, CURLOPT_NOSIGNAL, 1L);
  curl_easy_setopt(handle_, CURLOPT_CONNECTTIMEOUT, static_cast<long>(timeouts_.connect.count()));
  curl_easy_setopt(handle_, CURLOPT_LOW_SPEED_TIME, static_cast<long>(timeouts_.stall.count()));
  curl_easy_setopt(handle_, CURLOPT_LOW_SPEED_LIMIT, timeouts_.stall_bytes_per_second);
  const std::string proxy = Access::ProxyFor(url);
  through_proxy_ = !proxy.empty();
  // An empty proxy also keeps libcurl from reading the environment itself.
  curl_easy_setopt(handle_, CURLOPT_PROXY, proxy.c_str());
  // The variable OpenSSL's own tools read: a private hub has a private authority.
  const char* authorities = std::getenv("SSL_CERT_FILE");
  if (authorities != nullptr && *authorities != '\0') {
    curl_easy_setopt(handle_, CURLOPT_CAINFO, authorities);
  }
  curl_easy_setopt(handle_, CURLOPT_HEADERFUNCTION, &Exchange::OnHeaderLine);
  curl_easy_setopt(handle_, CURLOPT_HEADERDATA, this);
  curl_easy_setopt(handle_, CURLOPT_WRITEFUNCTION, &Exchange::OnBodyBytes);
  curl_easy_setopt(handle_, CURLOPT_WRITEDATA, this);
  curl_easy_setopt(handle_, CURLOPT_OPENSOCKETFUNCTION, &Exchange::OnOpenSocket);
  curl_easy_setopt(handle_, CURLOPT_OPENSOCKETDATA, this);
}

void Exchange::SetMethod(const ExchangeRequest& request) {
  if (request.method == ExchangeRequest::Method::kHead) {
    curl_easy_setopt(handle_, CURLOPT_NOBODY, 1L);
  } else if (request.method == ExchangeRequest::Method::kPost) {
    body_ = request.body;
    curl_easy_setopt(handle_, CURLOPT_POST, 1L);
    curl_easy_setopt(handle_, CURLOPT_POSTFIELDS, body_.c_str());
    curl_easy_setopt(handle_, CURLOPT_POSTFIELDSIZE_LARGE, static_cast<curl_off_t>(body_.size()));
  }
}

void Exchange::SetHeaders(const ExchangeRequest& request) {
  curl_slist_free_all(header_list_);
  header_list_ = nullptr;
  const auto add = [this](const std::string& line) {
    header_list_ = curl_slist_append(header_list_, line.c_str());
  };
  add("User-Agent: axon/" AXON_VERSION);
  // Encoded bodies have other lengths and digests than the file.
  add("Accept-Encoding: identity");
  // Otherwise libcurl waits for 100-continue before it sends a larger body.
  add("Expect:");
  if (request.method == ExchangeRequest::Method::kPost) add("Content-Type: application/json");
  for (const std::string& line : request.headers) add(line);
  const std::string_view token = access_.TokenFor(request.url);
  if (!token.empty()) add("Authorization: Bearer " + std::string(token));
  curl_easy_setopt(handle_, CURLOPT_HTTPHEADER, header_list_);
}

std::size_t Exchange::OnHeaderLine(char* data, std::size_t size, std::size_t count, void* self) {
  const std::size_t bytes = size * count;
  return static_cast<Exchange*>(self)->ReadHeaderLine({data, bytes}) ? bytes : 0;
}

bool Exchange::ReadHeaderLine(std::string_view line) {
  header_bytes_ += line.size();
  if (header_bytes_ > kHeaderBytesMax) {
    failure_ = Status(Reason::kNetwork, url_->host() + " sends more than 64 KiB of headers");
    return false;
  }
  if (line.starts_with("HTTP/")) {
    // A new head: that of an interim (1xx) or of a proxy's response is forgotten.
    head_ = {};
    const std::size_t space = line.find(' ');
    if (space != std::string_view::npos) {
      std::from_chars(line.data() + space + 1, line.data() + line.size(), head_.status);
    }
    return true;
  }
  const std::size_t colon = line.find(':');
  if (colon != std::string_view::npos) {
    head_.headers[LowerCase(Trimmed(line.substr(0, colon)))] = Trimmed(line.substr(colon + 1));
  }
  return true;
}

bool Exchange::DeliverHead() {
  if (head_delivered_) return true;
  head_delivered_ = true;
  failure_ = sink_->OnHead(head_);
  return failure_.ok();
}

std::size_t Exchange::OnBodyBytes(char* data, std::size_t size, std::size_t count, void* self) {
  auto* exchange = static_cast<Exchange*>(self);
  const std::size_t bytes = size * count;
  if (!exchange->DeliverHead()) return 0;
  exchange->failure_ = exchange->sink_->OnBody({data, bytes});
  return exchange->failure_.ok() ? bytes : 0;
}

curl_socket_t Exchange::OnOpenSocket(void* self, curlsocktype, curl_sockaddr* address) {
  auto* exchange = static_cast<Exchange*>(self);
  // libcurl passes the resolved address, so a name cannot resolve to another one after this check.
  if (!exchange->through_proxy_ && !exchange->access_.Admits(*exchange->url_, address->addr)) {
    exchange->refusal_ =
        Status(Reason::kHostNotAllowed, exchange->url_->host() + " has a " +
                                            std::string(ToString(ClassOf(address->addr))) +
                                            " address; only the configured endpoint may have one");
    return CURL_SOCKET_BAD;
  }
  return ::socket(address->family, address->socktype | SOCK_CLOEXEC, address->protocol);
}

Status Exchange::Finish(CURLcode code) {
  // A body that never came still has a head to be judged.
  if (code == CURLE_OK) DeliverHead();
  if (!failure_.ok()) return failure_;
  if (code == CURLE_OK) return mlos::OkStatus();
  if (!refusal_.ok()) return refusal_;
  std::string_view what = curl_easy_strerror(code);
  if (code == CURLE_PARTIAL_FILE || code == CURLE_RECV_ERROR) what = "the connection broke off";
  if (code == CURLE_OPERATION_TIMEDOUT) what = "it takes too long to answer";
  return {Reason::kNetwork, url_->host() + ": " + std::string(what)};
}

mlos::Result<Url> FollowRedirect(const Access& access, const Url& from, const ResponseHead& head,
                                 int hops) {
  if (hops > kRedirectsMax) {
    return Status(Reason::kNetwork,
                  from.host() + " redirects more than " + std::to_string(kRedirectsMax) + " times");
  }
  mlos::Result<Url> to = from.Resolve(head.Header("location"));
  if (!to.ok()) {
    return Status(Reason::kHostNotAllowed, from.host() +
                                               " redirects to an address that cannot be "
                                               "followed: " +
                                               std::string(to.status().message()));
  }
  MLOS_TRY(access.CheckRedirect(from, *to));
  return to;
}

}  // namespace axon::fetch
