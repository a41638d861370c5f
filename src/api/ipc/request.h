// SPDX-License-Identifier: MIT
#pragma once

#include <memory>
#include <optional>
#include <string_view>

#include "api/ipc/service.h"
#include "api/ipc/session.h"
#include "api/ipc/socket/frame_reader.h"
#include "api/ipc/wire/fields.h"
#include "base/clock.h"
#include "engine/cancellation.h"

namespace mlos::api::ipc {

/// The way back to a client: its socket, or its ring. Thread-safe.
class Channel {
 public:
  Channel() = default;
  Channel(const Channel&) = delete;
  Channel& operator=(const Channel&) = delete;
  virtual ~Channel() = default;

  /// Sends a whole frame, now or when the client takes it; drops it where the client is gone.
  virtual void Send(wire::ByteBuffer frame) = 0;
  /// The client has broken the protocol: tells it so and ends the connection.
  virtual void Fail(const Status& why) = 0;
};

/// What a frame came over, and for whom.
struct Origin {
  std::shared_ptr<Service> service;
  std::shared_ptr<Session> session;
  std::shared_ptr<Channel> channel;
};

struct Operation;

/// One request from its frame to its answer. Whoever works on it holds it; should all of them drop
/// it unanswered once it has begun, it answers INTERNAL. Thread-compatible: one thread works on it
/// at a time.
class Request {
 public:
  Request(Origin origin, const Operation& operation, socket::Frame frame);
  Request(const Request&) = delete;
  Request& operator=(const Request&) = delete;
  ~Request();

  /// Takes its number, after which it is to be finished. See Session::Begin.
  Status Begin();
  /// Answers in place of one that could not begin.
  void Refuse(const Status& why);

  std::uint64_t id() const { return frame_.header.request_id; }
  const Operation& operation() const { return operation_; }
  const socket::Frame& frame() const { return frame_; }
  /// When it came.
  SteadyClock::time_point start() const { return start_; }
  std::string_view body() const { return frame_.body(); }
  /// The same, for tensors that are run where they lie.
  char* body_data() const { return static_cast<char*>(frame_.buffer.data()); }
  UniqueFd TakeDescriptor() { return std::move(frame_.descriptors.at(0)); }

  Service& service() { return *origin_.service; }
  runtime::Runtime& runtime() { return origin_.service->runtime(); }
  Session& session() { return *origin_.session; }
  const Origin& origin() const { return origin_; }
  runtime::Caller caller() const {
    return {.door = runtime::Door::kIpc, .account = &origin_.session->budget()};
  }
  /// By when it is to be answered if its client asks for so many microseconds, 0 for none.
  Deadline DeadlineOf(std::uint64_t timeout_us) {
    const auto asked = timeout_us == 0 ? door::Timeout() : door::Microseconds(timeout_us);
    return service().lobby().bounds().From(start_, asked);
  }
  /// Set once nobody waits for the answer.
  const engine::Cancellation* cancellation() const { return &cancellation_; }
  /// Counts what its tensors take, besides its frame. OVERLOADED.
  Status Reserve(std::uint64_t bytes);

  /// An answer to fill, counted against its user's account.
  wire::ByteBuffer NewFrame() { return wire::ByteBuffer(session().budget()); }
  /// Answers, once, with a frame that FinishFrame has not seen yet, and counts the request.
  void Finish(Result<wire::ByteBuffer> answer);

 private:
  const Origin origin_;
  const Operation& operation_;
  engine::Cancellation cancellation_;
  const SteadyClock::time_point start_ = SteadyClock::now();
  socket::Frame frame_;
  resource::Reservation reservation_;
  bool begun_ = false;  // and not finished
};

/// Sends a failure that belongs to no Request.
void SendError(Channel& channel, std::uint64_t request_id, const Status& status);

}  // namespace mlos::api::ipc
