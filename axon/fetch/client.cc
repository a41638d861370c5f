// SPDX-License-Identifier: MIT
#include "axon/fetch/client.h"

#include <algorithm>
#include <thread>

#include "axon/fetch/backoff.h"

namespace axon::fetch {
namespace {

using mlos::Reason;
using mlos::Result;
using mlos::Status;
using Method = ExchangeRequest::Method;

class BodyCollector : public ResponseSink {
 public:
  explicit BodyCollector(std::size_t bytes_max) : bytes_max_(bytes_max) {}

  Status OnHead(const ResponseHead& head) override {
    return Check(head.ContentLength().value_or(0));
  }
  Status OnBody(std::string_view bytes) override {
    MLOS_TRY(Check(body_.size() + bytes.size()));
    body_.append(bytes);
    return mlos::OkStatus();
  }
  std::string Take() { return std::move(body_); }

 private:
  Status Check(std::uint64_t size_bytes) const {
    if (size_bytes <= bytes_max_) return mlos::OkStatus();
    return {Reason::kPayloadTooLarge,
            "the answer is longer than " + std::to_string(bytes_max_) + " bytes"};
  }
  std::size_t bytes_max_;
  std::string body_;
};

/// HEAD's Content-Length announces a body that does not come.
class HeadOnly : public ResponseSink {
 public:
  Status OnHead(const ResponseHead&) override { return mlos::OkStatus(); }
  Status OnBody(std::string_view) override { return mlos::OkStatus(); }
};

int OnProgress(void* cancel, curl_off_t, curl_off_t, curl_off_t, curl_off_t) {
  return static_cast<const CancelFlag*>(cancel)->IsSet() ? 1 : 0;
}

Status Cancelled() { return {Reason::kCancelled, "interrupted"}; }

}  // namespace

Result<Response> Client::Send(const ExchangeRequest& request) {
  Backoff backoff(request.method == Method::kPost ? 0 : options_.retries_max);
  while (true) {
    Result<Response> response = FollowHops(request);
    const bool broken = !response.ok() && response.status().reason() == Reason::kNetwork;
    const bool transient = response.ok() && response->head.IsTransient();
    if (cancel_.IsSet()) return Cancelled();
    if (!broken && !transient) return response;
    const auto wait = backoff.Next(broken ? "" : response->head.Header("retry-after"));
    if (!wait.has_value()) return response;
    if (!Wait(*wait)) return Cancelled();
  }
}

Result<Response> Client::FollowHops(ExchangeRequest request) {
  for (int hops = 1;; ++hops) {
    Response response = MLOS_TRY(SendOnce(request));
    if (!response.head.IsRedirect() || !options_.follow_redirects) return response;
    Url next = MLOS_TRY(FollowRedirect(access_, request.url, response.head, hops));
    if (request.method == Method::kHead && !next.SameOrigin(access_.endpoint())) return response;
    request.url = std::move(next);
  }
}

Result<Response> Client::SendOnce(const ExchangeRequest& request) {
  BodyCollector body(options_.body_bytes_max);
  HeadOnly head_only;
  const bool is_head = request.method == Method::kHead;
  exchange_.Begin(request, is_head ? static_cast<ResponseSink&>(head_only) : body);
  curl_easy_setopt(exchange_.handle(), CURLOPT_NOPROGRESS, 0L);
  curl_easy_setopt(exchange_.handle(), CURLOPT_XFERINFOFUNCTION, &OnProgress);
  curl_easy_setopt(exchange_.handle(), CURLOPT_XFERINFODATA, &cancel_);
  MLOS_TRY(exchange_.Finish(curl_easy_perform(exchange_.handle())));
  return Response{exchange_.head(), body.Take()};
}

bool Client::Wait(std::chrono::milliseconds duration) const {
  constexpr std::chrono::milliseconds kStep(50);
  for (; duration.count() > 0 && !cancel_.IsSet(); duration -= kStep) {
    std::this_thread::sleep_for(std::min(duration, kStep));
  }
  return !cancel_.IsSet();
}

}  // namespace axon::fetch
