// SPDX-License-Identifier: MIT
#include "api/grpc/call/dispatcher.h"

#include <algorithm>
#include <string>
#include <utility>

#include "api/grpc/call/metadata.h"
#include "base/text.h"

namespace mlos::api::grpc::call {
namespace {

/// Takes what the caller of a refused stream still sends.
class Refused : public http2::StreamHandler {
 public:
  Refused(std::int32_t stream_id, std::shared_ptr<http2::StreamPort> port)
      : stream_id_(stream_id), port_(std::move(port)) {}

  void OnData(std::string_view data) override { port_->Consume(stream_id_, data.size()); }
  void OnEnd() override {}
  void OnSent(std::size_t /*sent_bytes*/) override {}
  void OnClose() override {}
  void OnTick(SteadyClock::time_point /*now*/) override {}

 private:
  const std::int32_t stream_id_;
  const std::shared_ptr<http2::StreamPort> port_;
};

// What is no call at all is answered as plain HTTP is.
unsigned HttpStatus(const http2::RequestHead& head) {
  if (head.too_large) return 200;
  if (head.method != "POST") return 405;
  return IsGrpcContentType(head.content_type) ? 200 : 415;
}

bool ListsGzip(std::string_view encodings) {
  for (std::size_t start = 0; start <= encodings.size();) {
    const std::size_t end = std::min(encodings.find(',', start), encodings.size());
    std::string_view name = encodings.substr(start, end - start);
    while (name.starts_with(' ')) name.remove_prefix(1);
    if (name == "gzip") return true;
    start = end + 1;
  }
  return false;
}

}  // namespace

Dispatcher::Dispatcher(std::shared_ptr<Service> service, std::vector<Method> methods)
    : service_(std::move(service)), methods_(std::move(methods)) {
  for (const Method& method : methods_) by_path_.emplace(method.path, &method);
}

std::shared_ptr<http2::StreamHandler> Dispatcher::Open(const http2::RequestHead& head,
                                                       std::int32_t stream_id,
                                                       std::shared_ptr<http2::StreamPort> port) {
  const Result<const Method*> method = FindMethod(head);
  Status refusal = method.status();
  if (method.ok()) {
    const Result<CallHead> call_head = ReadHead(head, **method);
    if (call_head.ok()) {
      const auto call =
          std::make_shared<Call>(service_, **method, *call_head, stream_id, std::move(port));
      call->Open();
      return call;
    }
    refusal = call_head.status();
  }
  service_->runtime().stats().RecordRequest("grpc", "refused", refusal, 0);
  http2::Part part;
  part.http_status = HttpStatus(head);
  part.end = true;
  part.trailers = TrailersOf(refusal);
  port->Send(stream_id, std::move(part));
  return std::make_shared<Refused>(stream_id, std::move(port));
}

Result<const Method*> Dispatcher::FindMethod(const http2::RequestHead& head) const {
  if (head.too_large) return Status(Reason::kHeaderTooLarge, "the headers are too large");
  if (head.method != "POST") {
    return Status(Reason::kMethodNotAllowed, "a gRPC call is a POST");
  }
  if (!IsGrpcContentType(head.content_type)) {
    return Status(Reason::kMalformedRequest, "the content-type is not application/grpc")
        .WithField("content-type");
  }
  const auto found = by_path_.find(head.path);
  if (found != by_path_.end()) return found->second;
  return Status(Reason::kRouteNotFound, "there is no method " + Excerpt(head.path));
}

Result<CallHead> Dispatcher::ReadHead(const http2::RequestHead& head, const Method& method) const {
  CallHead call_head;
  if (!head.encoding.empty() && head.encoding != "identity") {
    if (head.encoding != "gzip") {
      return Status(Reason::kUnsupportedEncoding, "messages may be plain or gzip")
          .WithField("grpc-encoding");
    }
    call_head.accepts_gzip = ListsGzip(head.accept_encoding);
  }
  call_head.deadline = MLOS_TRY(CallDeadline(head, method));
  call_head.time_asked = !head.timeout.empty();
  return call_head;
}

// Streams last as long as their callers want; each request on one has a time of its own.
Result<Deadline> Dispatcher::CallDeadline(const http2::RequestHead& head,
                                          const Method& method) const {
  door::Timeout timeout;
  if (!head.timeout.empty()) {
    const std::chrono::microseconds asked = MLOS_TRY(ParseTimeout(head.timeout));
    // No clock needs to be looked at for that.
    if (asked.count() == 0) {
      return Status(Reason::kDeadlineExceeded, "the deadline passed before the call came");
    }
    timeout = door::Microseconds(static_cast<std::uint64_t>(asked.count()));
  }
  const SteadyClock::time_point now = SteadyClock::now();
  if (method.client_streaming) return door::Bounds::After(now, timeout);
  return service_->lobby().bounds().From(now, timeout);
}

}  // namespace mlos::api::grpc::call
