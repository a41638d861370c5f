// SPDX-License-Identifier: MIT
#include "api/http/call/reply.h"

#include "api/http/call/error_table.h"
#include "json/json_writer.h"

namespace mlos::api::http::call {

wire::Reply ErrorReply(const Dialect& dialect, const Status& status, std::string_view model_id) {
  wire::Reply reply;
  reply.http_status = HttpStatus(status.reason());
  reply.retry_later = reply.http_status == 503;
  json::JsonWriter writer(reply.body);
  writer.StartObject();
  dialect.write_error(writer, status, model_id);
  writer.EndObject();
  return reply;
}

net::ByteBuffer ErrorEvent(const Dialect& dialect, const Status& status) {
  net::ByteBuffer event;
  event.Append("data: ");
  event.Append(ErrorReply(dialect, status).body.view());
  event.Append("\n\n");
  return event;
}

}  // namespace mlos::api::http::call
