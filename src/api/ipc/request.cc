// SPDX-License-Identifier: MIT
#include "api/ipc/request.h"

#include <utility>

#include "api/ipc/operation.h"
#include "api/ipc/wire/frame.h"

namespace mlos::api::ipc {

Request::Request(Origin origin, const Operation& operation, socket::Frame frame,
                 std::shared_ptr<engine::Cancellation> cancellation)
    : origin_(std::move(origin)),
      operation_(operation),
      cancellation_(std::move(cancellation)),
      frame_(std::move(frame)) {}

Request::~Request() {
  if (!finished_) Finish(Status(Reason::kInternal, "the request was dropped"));
}

Status Request::Reserve(std::uint64_t bytes) {
  return net::RaiseReservation(service().budget(), reservation_, reservation_.bytes() + bytes);
}

void Request::Finish(Result<wire::ByteBuffer> answer) {
  finished_ = true;
  Status status = answer.ok() ? wire::FinishFrame(*answer) : answer.status();
  runtime().stats().RecordRequest("ipc", operation_.name, status,
                                  MicrosecondsBetween(start_, SteadyClock::now()));
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
