// SPDX-License-Identifier: MIT
#include "api/http/call/reply.h"

#include "api/document/error_document.h"
#include "api/http/call/error_table.h"
#include "json/json_writer.h"

namespace mlos::api::http::call {

wire::Reply ErrorReply(const Status& status, std::string_view model_id) {
  wire::Reply reply;
  reply.http_status = HttpStatus(status.reason());
  reply.retry_later = reply.http_status == 503;
  json::JsonWriter writer(reply.body);
  writer.StartObject();
  writer.Text("status", "error");
  document::WriteErrorMembers(writer, status);
  if (!model_id.empty()) writer.Text("model_id", model_id);
  writer.EndObject();
  return reply;
}

wire::Reply OipErrorReply(const Status& status) {
  wire::Reply reply;
  reply.http_status = HttpStatus(status.reason());
  reply.retry_later = reply.http_status == 503;
  json::JsonWriter writer(reply.body);
  writer.StartObject();
  writer.Text("error", status.message());
  writer.Text("code", ToString(status.code()));
  writer.Text("reason", ToString(status.reason()));
  writer.Text("field", status.field());
  writer.EndObject();
  return reply;
}

net::ByteBuffer OipErrorEvent(const Status& status) {
  net::ByteBuffer event;
  event.Append("data: ");
  event.Append(OipErrorReply(status).body.view());
  event.Append("\n\n");
  return event;
}

}  // namespace mlos::api::http::call
