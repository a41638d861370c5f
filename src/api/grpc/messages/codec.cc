// SPDX-License-Identifier: MIT
#include "api/grpc/messages/codec.h"

#include <google/protobuf/message_lite.h>

#include <limits>
#include <string>
#include <utility>

#include "net/coding.h"

namespace mlos::api::grpc::messages {
Status Parse(call::Call& call, const call::Message& message, const Cost& cost,
             google::protobuf::MessageLite& parsed, resource::Reservation& held) {
  std::string_view bytes = message.bytes.view();
  net::ByteBuffer inflated;
  if (message.compressed) {
    inflated = MLOS_TRY(net::Inflate(net::ContentCoding::kGzip, bytes,
                                     call.service().options().message_bytes_max, call.budget()));
    bytes = inflated.view();
  }
  if (bytes.size() > std::numeric_limits<int>::max()) {
    return {Reason::kPayloadTooLarge, "the message is longer than 2 GiB"};
  }
  MLOS_TRY(net::RaiseReservation(call.budget(), held, MemoryCost(bytes, cost)));
  if (!parsed.ParseFromArray(bytes.data(), static_cast<int>(bytes.size()))) {
    return {Reason::kMalformedRequest, "the message is not what the method takes"};
  }
  return OkStatus();
}

net::ByteBuffer Encode(call::Call& call, const google::protobuf::MessageLite& reply,
                       std::size_t extra_bytes) {
  net::ByteBuffer message = call.NewMessage();
  const std::size_t size = reply.ByteSizeLong();
  message.Expect(message.size() + size + extra_bytes);
  if (char* room = message.Prepare(size + extra_bytes)) {
    reply.SerializeWithCachedSizesToArray(reinterpret_cast<std::uint8_t*>(room));
    message.Commit(size);
  }
  return message;
}

void Reply(call::Call& call, const google::protobuf::MessageLite& reply) {
  net::ByteBuffer message = Encode(call, reply);
  if (message.status().ok()) {
    call.SendLast(std::move(message));
  } else {
    call.Finish(message.status());
  }
}

}  // namespace mlos::api::grpc::messages
