// SPDX-License-Identifier: MIT
#pragma once

#include "api/http/wire/message.h"
#include "base/result.h"
#include "json/json_writer.h"

namespace mlos::api::http::wire {

/// A 200 with the JSON that `write(json::JsonWriter&)` writes into a buffer of `budget`. OVERLOADED
/// or PAYLOAD_TOO_LARGE where it does not fit.
template <typename Write>
Result<Reply> ValueReply(resource::ByteBudget& budget, Write write) {
  Reply reply;
  reply.body = net::ByteBuffer(budget);
  json::JsonWriter writer(reply.body);
  write(writer);
  if (!reply.body.status().ok()) return reply.body.status();
  return reply;
}

/// The same with an object, whose members `write_members(json::JsonWriter&)` writes.
template <typename WriteMembers>
Result<Reply> DocumentReply(resource::ByteBudget& budget, WriteMembers write_members) {
  return ValueReply(budget, [&](json::JsonWriter& writer) {
    writer.StartObject();
    write_members(writer);
    writer.EndObject();
  });
}

}  // namespace mlos::api::http::wire
