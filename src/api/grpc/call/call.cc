// SPDX-License-Identifier: MIT
#include "api/grpc/call/call.h"

#include <algorithm>
#include <limits>
#include <string>
#include <utility>

#include "api/grpc/call/metadata.h"
#include "base/log.h"
#include "net/coding.h"

namespace mlos::api::grpc::call {
namespace {

// Messages that carry no tensors.
constexpr std::uint64_t kDocumentBytesMax = 1 << 20;
// Parsing this much takes about a millisecond.
constexpr std::size_t kSmallBytes = 1 << 20;
// Below this, compressing a message costs more than sending it.
constexpr std::size_t kGzipBytesMin = 1 << 10;

}  // namespace

Call::Call(std::shared_ptr<Service> service, const Method& method, const CallHead& head,
           std::int32_t stream_id, std::shared_ptr<http2::StreamPort> port)
    : service_(std::move(service)),
      method_(method),
      head_(head),
      stream_id_(stream_id),
      port_(std::move(port)),
      reader_(budget(),
              method.carries_tensors ? service_->options().message_bytes_max : kDocumentBytesMax),
      waiting_(budget()) {}

Call::~Call() {
  if (!finished()) Finish(Status(Reason::kInternal, "the request was dropped"));
}

void Call::OnData(std::string_view data) {
  received_ += data.size();
  if (finished()) {
    port_->Consume(stream_id_, data.size());
  } else if (paused_ || feeding_ || !waiting_.empty()) {
    // No more than the stream's window: what waits is not given back to the caller.
    waiting_.Append(data);
    if (!waiting_.status().ok()) Finish(waiting_.status());
  } else {
    Feed(data);
  }
}

void Call::Feed(std::string_view data) {
  feeding_ = true;
  const std::size_t size = data.size();
  while (!data.empty() && !paused_ && !finished()) {
    const Result<bool> whole = reader_.Read(data);
    if (!whole.ok()) {
      Finish(whole.status());
    } else if (*whole) {
      Deliver();
    }
  }
  if (finished()) {
    data = {};
  } else {
    waiting_.Append(data);
    if (!waiting_.status().ok()) Finish(waiting_.status());
  }
  feeding_ = false;
  port_->Consume(stream_id_, size - data.size());
}

void Call::Deliver() {
  if (has_message_ && !method_.client_streaming) {
    Finish(Status(Reason::kMalformedRequest, "the method takes one message, and got another"));
    return;
  }
  has_message_ = true;
  handler_->OnMessage(reader_.TakeMessage());
}

void Call::Resume() {
  paused_ = false;
  if (feeding_) return;
  FeedWaiting();
  if (ended_ && !paused_ && waiting_.empty()) EndOfMessages();
}

void Call::FeedWaiting() {
  if (waiting_.empty() || paused_ || finished()) return;
  const net::ByteBuffer data = std::exchange(waiting_, net::ByteBuffer(budget()));
  Feed(data.view());
}

void Call::OnEnd() {
  ended_ = true;
  if (!paused_ && !feeding_ && waiting_.empty()) EndOfMessages();
}

void Call::EndOfMessages() {
  if (finished() || std::exchange(half_closed_, true)) return;
  if (reader_.in_message()) {
    Finish(Status(Reason::kMalformedRequest, "the request ends inside of a message"));
  } else if (!has_message_ && !method_.client_streaming) {
    Finish(Status(Reason::kMalformedRequest, "the request has no message"));
  } else {
    handler_->OnHalfClose();
  }
}

void Call::Run(const Message& message, std::function<void()> task) {
  service_->lobby().Run({.caller = caller(),
                         .operation = method_.operation,
                         .model = {},
                         .deadline = head_.deadline,
                         .large = message.compressed || message.bytes.size() > kSmallBytes},
                        [self = shared_from_this(), task = std::move(task)](const Status& turn) {
                          if (!turn.ok()) return self->Finish(turn);
                          task();
                        });
}

net::ByteBuffer Call::NewMessage() {
  net::ByteBuffer message(budget());
  if (message.Prepare(kPrefixBytes) != nullptr) message.Commit(kPrefixBytes);
  return message;
}

// The length of a message stands before it, so only what is whole can be compressed.
http2::Part Call::PartOf(ReplyMessage message) {
  net::ByteBuffer& bytes = message.bytes;
  std::size_t size = bytes.size() - kPrefixBytes;
  bool compressed = false;
  if (message.rest != nullptr) {
    size += *message.rest->length();
  } else if (compresses() && bytes.size() > kGzipBytesMin) {
    net::ByteBuffer small = NewMessage();
    compressed =
        net::Deflate(net::ContentCoding::kGzip, bytes.view().substr(kPrefixBytes), small).ok();
    if (compressed) {
      bytes = std::move(small);
      size = bytes.size() - kPrefixBytes;
    }
  }
  WritePrefix(bytes.data(), compressed, static_cast<std::uint32_t>(size));
  http2::Part part;
  if (compresses()) part.encoding = "gzip";
  part.data = std::move(bytes);
  part.rest = std::move(message.rest);
  return part;
}

void Call::Send(ReplyMessage message) {
  if (finished()) return;
  if (!message.bytes.status().ok()) {
    cancellation_->Cancel();
    return Finish(message.bytes.status());
  }
  http2::Part part = PartOf(std::move(message));
  handed_bytes_.fetch_add(part.size());
  credit_.Hold(static_cast<std::int64_t>(part.size()));
  port_->Send(stream_id_, std::move(part));
}

void Call::SendLast(ReplyMessage message) {
  if (!MarkFinished(OkStatus())) return;
  http2::Part part = PartOf(std::move(message));
  part.end = true;
  part.trailers = TrailersOf(OkStatus());
  port_->Send(stream_id_, std::move(part));
}

void Call::Finish(const Status& status) {
  if (!MarkFinished(status)) return;
  http2::Part part;
  part.end = true;
  part.trailers = TrailersOf(status);
  port_->Send(stream_id_, std::move(part));
}

bool Call::MarkFinished(const Status& status) {
  if (finished_.exchange(true, std::memory_order_acq_rel)) return false;
  const std::int64_t time_us = MicrosecondsBetween(start_, SteadyClock::now());
  service_->runtime().stats().RecordRequest("grpc", method_.path, status, time_us);
  Log(LogLevel::kDebug, "grpc call",
      {{"method", method_.path}, {"code", GrpcCode(status)}, {"time_us", time_us}});
  return true;
}

void Call::Release(std::size_t sent_bytes) {
  // The last message is not counted: nothing waits for it to be read.
  const std::size_t sent = std::min(sent_bytes, handed_bytes_.load());
  credit_.Release(static_cast<std::int64_t>(sent - sent_bytes_.exchange(sent)));
}

void Call::OnSent(std::size_t sent_bytes) {
  Release(sent_bytes);
  if (!finished()) handler_->OnDrained();
}

void Call::OnClose() {
  cancellation_->Cancel();
  Release(std::numeric_limits<std::size_t>::max());
  waiting_ = net::ByteBuffer();
  if (MarkFinished(Status(Reason::kCancelled, "the caller has gone away"))) handler_->OnCancel();
}

void Call::OnTick(SteadyClock::time_point now) {
  if (finished()) return;
  if (now >= head_.deadline) {
    cancellation_->Cancel();
    handler_->OnCancel();
    Finish(Status(Reason::kDeadlineExceeded, "the deadline of the call has passed"));
    return;
  }
  CheckProgress(now);
  if (!finished()) handler_->OnTick(now);
}

void Call::CheckProgress(SteadyClock::time_point now) {
  const bool awaited = !ended_ && !paused_ && (!method_.client_streaming || reader_.in_message());
  if (!awaited) {
    read_deadline_.Stop();
    return;
  }
  read_deadline_.Watch(now, service_->options().body_timeout_ms, received_);
  if (read_deadline_.passed(now)) {
    Finish(Status(Reason::kRequestTimeout, "the request did not arrive in time"));
  }
}

}  // namespace mlos::api::grpc::call
