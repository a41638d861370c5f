// SPDX-License-Identifier: MIT
#include "api/http/dispatcher.h"

#include <algorithm>
#include <charconv>
#include <iterator>
#include <limits>

#include "api/http/call/call.h"
#include "api/http/call/reply.h"
#include "api/http/dialects.h"
#include "api/http/guard/text.h"
#include "api/http/own/dialect.h"
#include "base/model_id.h"

namespace mlos::api::http {
namespace {

using call::BodyUse;
using call::RouteMatch;

constexpr std::string_view kTimeoutHeader = "X-Request-Timeout-Ms";

/// UNSUPPORTED_ENCODING.
Result<wire::ContentCoding> BodyCoding(const wire::RequestHead& head) {
  if (!head.content_encoding) return wire::ContentCoding::kIdentity;
  const auto coding = wire::ParseCoding(*head.content_encoding);
  if (coding) return *coding;
  return Status(Reason::kUnsupportedEncoding, "the body may be plain, gzip or deflate, once")
      .WithField("Content-Encoding");
}

/// INVALID_FIELD.
Result<std::uint64_t> InferenceHeaderBytes(std::string_view text) {
  std::uint64_t bytes = 0;
  const auto parsed = std::from_chars(text.data(), text.data() + text.size(), bytes);
  if (guard::IsNumber(text) && parsed.ec == std::errc()) return bytes;
  return Status(Reason::kInvalidField, "the header is not a number of bytes")
      .WithField("Inference-Header-Content-Length");
}

/// INVALID_FIELD.
Result<door::Timeout> TimeoutOf(const wire::RequestHead& head) {
  if (!head.request_timeout) return door::Timeout();
  const std::string_view text = *head.request_timeout;
  std::int64_t timeout_ms = 0;
  const auto parsed = std::from_chars(text.data(), text.data() + text.size(), timeout_ms);
  if (guard::IsNumber(text) && parsed.ec == std::errc() && timeout_ms != 0) {
    return door::Milliseconds(static_cast<std::uint64_t>(timeout_ms));
  }
  // However long it is, no request has more than Core's own maximum.
  if (guard::IsNumber(text) && parsed.ec == std::errc::result_out_of_range) {
    return door::Milliseconds(std::numeric_limits<std::int64_t>::max());
  }
  return Status(Reason::kInvalidField, "the header is not a number of milliseconds above 0")
      .WithField(kTimeoutHeader);
}

Status CheckId(const RouteMatch& match) {
  if (match.model_id().empty()) return OkStatus();
  MLOS_TRY(ModelId::Parse(match.id));
  return OkStatus();
}

Status CheckFraming(const call::Route& route, const wire::RequestHead& head) {
  const bool optional = route.body == BodyUse::kIgnored || route.body == BodyUse::kOptionalDocument;
  if (optional || head.chunked || head.content_length) return OkStatus();
  return {Reason::kLengthRequired, "the request needs a body, with Content-Length or in chunks"};
}

}  // namespace

Dispatcher::Dispatcher(std::shared_ptr<call::Service> service, const ServerOptions& options,
                       std::string_view address)
    : service_(std::move(service)),
      router_(Dialects()),
      hosts_(options.allowed_hosts, address),
      cross_origin_(options.cors_origins) {}

Status Dispatcher::CheckCaller(const wire::RequestHead& head) const {
  const bool named = cross_origin_.Names(head.origin);
  return hosts_.Check({head.host, named ? std::nullopt : head.origin, head.local_address});
}

wire::Admission Dispatcher::Admit(const wire::RequestHead& head, resource::ByteBudget& account) {
  const Status allowed = CheckCaller(head);
  if (!allowed.ok()) return Reject(head, allowed);
  if (head.target == "*") return TellMethods(head, std::string(Router::AllowAnywhere()));
  const Result<guard::Target> target = guard::Target::Parse(head.target);
  if (!target.ok()) return Reject(head, target.status());
  auto accepted = Accept(head, *target, account);
  if (accepted.ok()) return {std::nullopt, std::move(accepted).value()};
  const bool other_method = accepted.status().reason() == Reason::kMethodNotAllowed;
  const std::string allow = other_method ? router_.Allow(*target) : std::string();
  if (other_method && head.verb == wire::Verb::options) return TellMethods(head, allow);
  return Reject(head, accepted.status(), allow);
}

wire::Admission Dispatcher::TellMethods(const wire::RequestHead& head, std::string allow) const {
  wire::Reply options;
  options.http_status = 204;
  if (head.preflight_method && cross_origin_.Names(head.origin)) {
    options.header_lines = guard::PreflightHeaders(allow, head.preflight_private_network);
  }
  options.allow = std::move(allow);
  return {std::move(options), nullptr};
}

bool Dispatcher::IsHealthCheck(const wire::RequestHead& head) const {
  constexpr std::string_view kPaths[] = {"/health", "/health/live", "/health/ready",
                                         "/v2/health/live", "/v2/health/ready"};
  const bool reads = head.verb == wire::Verb::get || head.verb == wire::Verb::head;
  const std::string_view path = head.target.substr(0, head.target.find('?'));
  return reads && !head.has_body() &&
         std::find(std::begin(kPaths), std::end(kPaths), path) != std::end(kPaths);
}

Result<std::shared_ptr<wire::Exchange>> Dispatcher::Accept(const wire::RequestHead& head,
                                                           const guard::Target& target,
                                                           resource::ByteBudget& account) {
  RouteMatch match = MLOS_TRY(router_.Match(head.verb, target));
  MLOS_TRY(CheckId(match));
  MLOS_TRY(CheckFraming(*match.route, head));
  const wire::ContentCoding coding = MLOS_TRY(BodyCoding(head));
  const door::Timeout timeout = MLOS_TRY(TimeoutOf(head));
  auto call = std::make_shared<call::Call>(service_, std::move(match), target.query, account);
  call->set_codings(coding, wire::ChooseCoding(head.accept_encoding.value_or("")));
  call->set_deadline(service_->lobby().bounds().From(SteadyClock::now(), timeout),
                     timeout.has_value());
  if (head.inference_header_length) {
    call->set_inference_header_bytes(MLOS_TRY(InferenceHeaderBytes(*head.inference_header_length)));
  }
  return std::shared_ptr<wire::Exchange>(std::move(call));
}

wire::Admission Dispatcher::Reject(const wire::RequestHead& head, const Status& status,
                                   std::string allow) {
  CountRefusal(status);
  wire::Reply reply = call::ErrorReply(router_.DialectOf(head.target), status);
  reply.allow = std::move(allow);
  reply.close = status.reason() == Reason::kLengthRequired;
  return {std::move(reply), nullptr};
}

wire::Reply Dispatcher::Refuse(const Status& status) {
  CountRefusal(status);
  return call::ErrorReply(own::Dialect(), status);
}

void Dispatcher::CountRefusal(const Status& status) {
  service_->runtime().stats().RecordRequest("http", "refused", status, 0);
}

}  // namespace mlos::api::http
