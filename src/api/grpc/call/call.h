// SPDX-License-Identifier: MIT
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <string_view>

#include "api/door/operation.h"
#include "api/grpc/call/message_reader.h"
#include "api/grpc/call/service.h"
#include "api/grpc/http2/stream.h"
#include "base/clock.h"
#include "engine/cancellation.h"
#include "engine/credit.h"
#include "net/body_source.h"
#include "net/progress_deadline.h"

namespace mlos::api::grpc::call {

class Call;

/// What a method does with one call. Called on the connection's thread only; lives as long as the
/// call.
class CallHandler {
 public:
  CallHandler() = default;
  CallHandler(const CallHandler&) = delete;
  CallHandler& operator=(const CallHandler&) = delete;
  virtual ~CallHandler() = default;

  /// A message of the request; exactly one where the method takes no stream.
  virtual void OnMessage(Message message) = 0;
  /// The request is complete.
  virtual void OnHalfClose() = 0;
  /// The caller has taken what was sent.
  virtual void OnDrained() {}
  /// Four times a second.
  virtual void OnTick(SteadyClock::time_point /*now*/) {}
  /// Nobody waits for the reply any more.
  virtual void OnCancel() {}
};

struct Method {
  std::string_view path;  ///< "/mlos.v1.InferenceService/Infer"
  door::Operation operation;
  bool client_streaming = false;
  /// Messages may be as large as the server takes; of others 1 MiB.
  bool carries_tensors = false;
  std::unique_ptr<CallHandler> (*open)(Call& call) = nullptr;
};

/// What the head of a call says.
struct CallHead {
  Deadline deadline = kNoDeadline;
  bool time_asked = false;    ///< the deadline is what the caller wants
  bool accepts_gzip = false;  ///< and has sent it
};

/// A message of a reply.
struct ReplyMessage {
  // Most are whole.
  ReplyMessage(net::ByteBuffer message = {}) : bytes(std::move(message)) {}  // NOLINT

  net::ByteBuffer bytes;  ///< as Call::NewMessage begins them
  /// What follows them and is made while it is sent, or null. Its length is known.
  std::unique_ptr<net::BodySource> rest;
};

/// One call on its way through a method. Whoever works on it holds it; should all of them drop it
/// unanswered, it answers INTERNAL. Send, SendLast, Finish and what is const may be called from any
/// thread, the rest from the connection's.
class Call : public http2::StreamHandler, public std::enable_shared_from_this<Call> {
 public:
  Call(std::shared_ptr<Service> service, const Method& method, const CallHead& head,
       std::int32_t stream_id, std::shared_ptr<http2::StreamPort> port);
  ~Call() override;
  /// Makes the handler; once, right after the constructor.
  void Open() { handler_ = method_.open(*this); }

  Service& service() { return *service_; }
  /// What it takes of memory is counted against its caller's; from any thread.
  resource::ByteBudget& budget() { return port_->budget(); }
  runtime::Runtime& runtime() { return service_->runtime(); }
  Deadline deadline() const { return head_.deadline; }
  bool time_asked() const { return head_.time_asked; }
  /// Set when the caller goes away.
  const std::shared_ptr<engine::Cancellation>& cancellation() const { return cancellation_; }
  runtime::Caller caller() const {
    return {.door = runtime::Door::kGrpc, .account = &port_->budget()};
  }
  bool finished() const { return finished_.load(std::memory_order_acquire); }

  /// Runs `task`, which reads `message`, on a thread of the operation's executor; on this one only
  /// if the message is read in no time. The call ends in its place if no thread is free in time.
  void Run(const Message& message, std::function<void()> task);

  /// A buffer for a message of the reply, with room for its prefix before it.
  net::ByteBuffer NewMessage();
  /// Sends a message of the reply. One that found no room ends the call.
  void Send(ReplyMessage message);
  /// Sends the last message and ends the call with OK.
  void SendLast(ReplyMessage message);
  /// Messages of the reply are compressed, if they are worth it and whole.
  bool compresses() const { return head_.accepts_gzip; }
  /// Ends the call. Only the first end counts.
  void Finish(const Status& status);
  /// Bytes that the caller has not taken.
  std::size_t waiting_bytes() const { return handed_bytes_.load() - sent_bytes_.load(); }
  /// What they are held in; holds the call.
  std::shared_ptr<engine::Credit> credit() { return {shared_from_this(), &credit_}; }
  /// Runs `task` on the connection's thread, soon.
  void Post(std::function<void()> task) { port_->Post(std::move(task)); }
  bool RunsHere() { return port_->RunsHere(); }

  /// Between these two, messages wait and the caller is held back.
  void Pause() { paused_ = true; }
  void Resume();

  void OnData(std::string_view data) override;
  void OnEnd() override;
  void OnSent(std::size_t sent_bytes) override;
  void OnClose() override;
  void OnTick(SteadyClock::time_point now) override;

 private:
  void Feed(std::string_view data);
  void FeedWaiting();
  void Deliver();
  void EndOfMessages();
  void CheckProgress(SteadyClock::time_point now);
  /// `sent_bytes` of replies have been sent, in all, or never will be.
  void Release(std::size_t sent_bytes);
  /// False for all calls but the first.
  bool MarkFinished(const Status& status);
  http2::Part PartOf(ReplyMessage message);

  const std::shared_ptr<Service> service_;
  const Method& method_;
  const CallHead head_;
  const std::int32_t stream_id_;
  const std::shared_ptr<http2::StreamPort> port_;
  const SteadyClock::time_point start_ = SteadyClock::now();
  const std::shared_ptr<engine::Cancellation> cancellation_ =
      std::make_shared<engine::Cancellation>();

  MessageReader reader_;
  net::ByteBuffer waiting_;  ///< bytes of the request that came while paused
  bool paused_ = false;
  bool feeding_ = false;
  bool ended_ = false;        ///< the request is complete
  bool half_closed_ = false;  ///< and the handler knows
  bool has_message_ = false;
  std::uint64_t received_ = 0;
  net::ProgressDeadline read_deadline_;

  std::atomic<bool> finished_{false};
  std::atomic<std::size_t> handed_bytes_{0};  ///< to Send
  std::atomic<std::size_t> sent_bytes_{0};    ///< of those
  engine::Credit credit_;
  std::unique_ptr<CallHandler> handler_;
};

}  // namespace mlos::api::grpc::call
