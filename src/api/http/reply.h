// SPDX-License-Identifier: MIT
#pragma once

#include <string_view>
#include <utility>

#include "api/document/error_document.h"
#include "api/http/json/json_writer.h"
#include "api/http/wire/message.h"
#include "base/result.h"

namespace mlos::api::http {

/// `{"status":"error","code":…,"reason":…,"field":…,"message":…}`, and "model_id" where it is
/// known, with the HTTP status of the error table.
wire::Reply ErrorReply(const Status& status, std::string_view model_id = {});

/// A 200 with the JSON object whose members `write_members(JsonWriter&)` writes into a buffer of
/// `budget`. OVERLOADED or PAYLOAD_TOO_LARGE where it does not fit.
template <typename WriteMembers>
Result<wire::Reply> DocumentReply(resource::ByteBudget& budget, WriteMembers write_members) {
  wire::Reply reply;
  reply.body = wire::ByteBuffer(budget);
  json::JsonWriter writer(reply.body);
  writer.StartObject();
  write_members(writer);
  writer.EndObject();
  if (!reply.body.status().ok()) return reply.body.status();
  return reply;
}

using document::WriteErrorMembers;

}  // namespace mlos::api::http
