// SPDX-License-Identifier: MIT
#include "api/http/call/call.h"

#include <cstddef>
#include <string>
#include <utility>

#include "api/http/call/reply.h"
#include "base/log.h"
#include "net/coding.h"

namespace mlos::api::http::call {
namespace {

// Parsing this much takes a few milliseconds, as long as others may wait for an event thread.
constexpr std::size_t kSmallBodyBytes = 1 << 20;
// Documents and bodies that nobody reads.
constexpr std::uint64_t kDocumentBytesMax = 1 << 20;

}  // namespace

Call::Call(std::shared_ptr<Service> service, RouteMatch match, std::string_view query,
           resource::ByteBudget& account)
    : service_(std::move(service)),
      account_(account),
      match_(std::move(match)),
      query_(query),
      model_id_(match_.model_id()),
      memory_(account_) {}

Call::~Call() {
  if (responder_) Finish(Status(Reason::kInternal, "the request was dropped"));
}

Result<std::size_t> Call::JsonBytes() const {
  if (!inference_header_bytes_) return body_.size();
  const std::size_t lead_bytes = body_lead_bytes();
  const std::uint64_t sent_bytes = body_.size() - lead_bytes;
  if (*inference_header_bytes_ <= sent_bytes) {
    return lead_bytes + static_cast<std::size_t>(*inference_header_bytes_);
  }
  return Status(Reason::kInvalidField,
                "Inference-Header-Content-Length is " + std::to_string(*inference_header_bytes_) +
                    ", and the body has " + std::to_string(sent_bytes) + " bytes")
      .WithField("Inference-Header-Content-Length");
}

// JSON may start with blanks: with as many as here, binary tensors behind it lie aligned, as all
// memory does that is allocated.
std::size_t Call::body_lead_bytes() const {
  if (!inference_header_bytes_ || body_coding_ != wire::ContentCoding::kIdentity) return 0;
  constexpr std::size_t kAlignment = alignof(std::max_align_t);
  return (kAlignment - *inference_header_bytes_ % kAlignment) % kAlignment;
}

std::uint64_t Call::body_bytes_max() const {
  return match_.route->body == BodyUse::kTensors ? service_->options().body_bytes_max
                                                 : kDocumentBytesMax;
}

void Call::Handle(net::ByteBuffer body, wire::Responder responder) {
  body_ = std::move(body);
  responder_.emplace(std::move(responder));
  const bool packed = body_coding_ != wire::ContentCoding::kIdentity;
  service_->lobby().Run({.caller = caller(),
                         .operation = match_.route->operation,
                         .model = model_id_,
                         .deadline = deadline_,
                         .large = packed || body_.size() > kSmallBodyBytes},
                        [self = shared_from_this()](Status turn) {
                          if (!turn.ok()) return self->Finish(std::move(turn));
                          self->Run();
                        });
}

void Call::Run() {
  const Status status = body_coding_ != wire::ContentCoding::kIdentity ? Decompress() : OkStatus();
  if (status.ok()) {
    match_.route->handle(shared_from_this());
  } else {
    Finish(status);
  }
}

Status Call::Decompress() {
  body_ = MLOS_TRY(net::Inflate(body_coding_, body_.view(), body_bytes_max(), account_));
  if (!body_.Pad(net::kBodyPaddingBytes)) return body_.status();
  return OkStatus();
}

void Call::Finish(Result<wire::Reply> outcome) {
  const wire::Responder responder = *std::exchange(responder_, std::nullopt);
  const std::int64_t time_us = MicrosecondsBetween(start_, SteadyClock::now());
  service_->runtime().stats().RecordRequest("http", match_.route->pattern, outcome.status(),
                                            time_us);
  if (stream_ != nullptr) {
    stream_->End(outcome.ok() ? net::ByteBuffer() : ErrorEvent(*match_.dialect, outcome.status()));
    return;
  }
  wire::Reply reply = outcome.ok() ? std::move(outcome).value() : ErrorOf(outcome.status());
  Log(LogLevel::kDebug, "http request",
      {{"route", match_.route->pattern}, {"http_status", reply.http_status}, {"time_us", time_us}});
  responder.Send(std::move(reply));
}

std::shared_ptr<wire::BodyStream> Call::StartStream(std::string_view content_type,
                                                    std::shared_ptr<engine::Credit> credit) {
  stream_ = std::make_shared<wire::BodyStream>(account_, *responder_, std::move(credit));
  wire::Reply reply;
  reply.content_type = content_type;
  reply.stream = wire::BodyStream::ReaderOf(stream_);
  responder_->Send(std::move(reply));
  return stream_;
}

wire::Reply Call::Refuse(const Status& status) {
  service_->runtime().stats().RecordRequest("http", "refused", status, 0);
  return ErrorOf(status);
}

wire::Reply Call::ErrorOf(const Status& status) const {
  return ErrorReply(*match_.dialect, status, model_id_);
}

}  // namespace mlos::api::http::call
