// SPDX-License-Identifier: MIT
#include "api/ipc/request.h"

#include <utility>

#include "api/ipc/operation.h"
#include "api/ipc/wire/frame.h"

namespace mlos::api::ipc {

Request::Request(Origin origin, const Operation& operation, socket::Frame frame)
    : origin_(std::move(origin)), operation_(operation), frame_(std::move(frame)) {}

Request::~Request() {
  if (begun_) Finish(Status(Reason::kInternal, "the request was dropped"));
}

Status Request::Begin() {
  MLOS_TRY(session().Begin(id(), cancellation_));
  begun_ = true;
  return OkStatus();
}

void Request::Refuse(const Status& why) {
  service().counts(operation_).Record(why, 0);
  SendError(*origin_.channel, id(), why);
}

Status Request::Reserve(std::uint64_t bytes) {
  return net::RaiseReservation(session().budget(), reservation_, reservation_.bytes() + bytes);
}

void Request::Finish(Result<wire::ByteBuffer> answer) {
  begun_ = false;
  Status status = answer.ok() ? wire::FinishFrame(*answer) : answer.status();
  service().counts(operation_).Record(status, MicrosecondsBetween(start_, SteadyClock::now()));
  // Before the client can see the answer, and use the number again.
  session().End(id());
  if (status.ok()) {
    origin_.channel->Send(std::move(answer).value());
  } else {
    SendError(*origin_.channel, id(), status);
  }
  session().Answered();
}

void SendError(Channel& channel, std::uint64_t request_id, const Status& status) {
  wire::ByteBuffer frame;
  wire::EncodeError(frame, request_id, status);
  if (wire::FinishFrame(frame).ok()) channel.Send(std::move(frame));
}

}  // namespace mlos::api::ipc
