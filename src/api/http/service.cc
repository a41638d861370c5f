// SPDX-License-Identifier: MIT
#include "api/http/service.h"

#include <algorithm>
#include <charconv>
#include <chrono>
#include <limits>
#include <thread>

#include "api/http/call.h"
#include "api/http/reply.h"
#include "api/http/wire/text.h"
#include "base/model_id.h"

namespace mlos::api::http {
namespace {

// Loads take seconds and use several cores each; more of them at once only wait for each other.
constexpr std::size_t kManagerThreads = 2;
constexpr std::string_view kTimeoutHeader = "X-Request-Timeout-Ms";

std::size_t Cores() { return std::max(1U, std::thread::hardware_concurrency()); }

/// True for a gzip body. UNSUPPORTED_ENCODING.
Result<bool> IsGzip(const wire::RequestHead& head) {
  if (!head.content_encoding || wire::EqualsIgnoreCase(*head.content_encoding, "identity")) {
    return false;
  }
  for (const std::string_view name : {"gzip", "x-gzip"}) {
    if (wire::EqualsIgnoreCase(*head.content_encoding, name)) return true;
  }
  return Status(Reason::kUnsupportedEncoding, "the body may be plain or gzip, once");
}

Status CheckId(const RouteMatch& match) {
  if (match.id.empty() || !match.route->pattern.starts_with("/models/")) return OkStatus();
  MLOS_TRY(ModelId::Parse(match.id));
  return OkStatus();
}

Status CheckFraming(const Route& route, const wire::RequestHead& head) {
  if (route.body == BodyUse::kIgnored || head.chunked || head.content_length) return OkStatus();
  return {Reason::kLengthRequired, "the request needs a body, with Content-Length or in chunks"};
}

}  // namespace

Service::Service(ServerOptions options, runtime::Runtime& runtime, std::string_view address,
                 std::uint16_t port)
    : options_(std::move(options)),
      runtime_(runtime),
      router_(Routes()),
      budget_(options_.in_flight_bytes_max),
      hosts_(options_.allowed_hosts, address),
      port_(port),
      workers_(Cores()),
      managers_(kManagerThreads) {}

void Service::Join() {
  workers_.join();
  managers_.join();
  joined_ = true;
}

wire::Admission Service::Admit(const wire::RequestHead& head) {
  const Status allowed = hosts_.Check(head);
  if (!allowed.ok()) return Reject(allowed);
  if (head.target == "*") {
    wire::Reply options;
    options.http_status = 204;
    options.allow = Router::AllowAnywhere();
    return {std::move(options), nullptr};
  }
  const Result<Target> target = Target::Parse(head.target);
  if (!target.ok()) return Reject(target.status());
  auto accepted = Accept(head, *target);
  if (accepted.ok()) return {std::nullopt, std::move(accepted).value()};
  const bool other_method = accepted.status().reason() == Reason::kMethodNotAllowed;
  const std::string allow = other_method ? router_.Allow(*target) : std::string();
  if (other_method && head.verb == wire::Verb::options) {
    wire::Reply options;
    options.http_status = 204;
    options.allow = allow;
    return {std::move(options), nullptr};
  }
  return Reject(accepted.status(), allow);
}

Result<std::shared_ptr<wire::Exchange>> Service::Accept(const wire::RequestHead& head,
                                                        const Target& target) {
  RouteMatch match = MLOS_TRY(router_.Match(head.verb, target));
  MLOS_TRY(CheckId(match));
  MLOS_TRY(CheckFraming(*match.route, head));
  const bool gzip = MLOS_TRY(IsGzip(head));
  const Deadline deadline = MLOS_TRY(RequestDeadline(head));
  const auto call = std::make_shared<Call>(shared_from_this(), std::move(match), target.query);
  call->set_gzip(gzip);
  call->set_deadline(deadline);
  return std::shared_ptr<wire::Exchange>(call);
}

Result<Deadline> Service::RequestDeadline(const wire::RequestHead& head) const {
  std::int64_t limit = options_.request_timeout_ms_max;
  if (limit == 0) limit = std::numeric_limits<std::int64_t>::max();
  std::int64_t timeout_ms = limit;
  if (head.request_timeout) {
    const std::string_view text = *head.request_timeout;
    const auto parsed = std::from_chars(text.data(), text.data() + text.size(), timeout_ms);
    if (!wire::IsNumber(text) || parsed.ec != std::errc() || timeout_ms == 0) {
      return Status(Reason::kInvalidField, "the header is not a number of milliseconds above 0")
          .WithField(kTimeoutHeader);
    }
  }
  timeout_ms = std::min(timeout_ms, limit);
  if (timeout_ms > std::chrono::milliseconds(std::chrono::hours(24 * 365)).count()) {
    return kNoDeadline;
  }
  return SteadyClock::now() + std::chrono::milliseconds(timeout_ms);
}

wire::Admission Service::Reject(const Status& status, std::string allow) {
  wire::Reply reply = Refuse(status);
  reply.allow = std::move(allow);
  reply.close = status.reason() == Reason::kLengthRequired;
  return {std::move(reply), nullptr};
}

wire::Reply Service::Refuse(const Status& status) {
  runtime_.stats().RecordRequest("http", "refused", status, 0);
  return ErrorReply(status);
}

}  // namespace mlos::api::http
