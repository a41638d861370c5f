// SPDX-License-Identifier: MIT
#pragma once

#include "api/http/json/json_writer.h"
#include "api/http/wire/message.h"
#include "base/result.h"

namespace mlos::api::http::json {

/// A 200 with the JSON that `write(JsonWriter&)` writes into a buffer of `budget`. OVERLOADED or
/// PAYLOAD_TOO_LARGE where it does not fit.
template <typename Write>
Result<wire::Reply> ValueReply(resource::ByteBudget& budget, Write write) {
  wire::Reply reply;
  reply.body = net::ByteBuffer(budget);
  JsonWriter writer(reply.body);
  write(writer);
  if (!reply.body.status().ok()) return reply.body.status();
  return reply;
}

/// The same with an object, whose members `write_members(JsonWriter&)` writes.
template <typename WriteMembers>
Result<wire::Reply> DocumentReply(resource::ByteBudget& budget, WriteMembers write_members) {
  return ValueReply(budget, [&](JsonWriter& writer) {
    writer.StartObject();
    write_members(writer);
    writer.EndObject();
  });
}

}  // namespace mlos::api::http::json
