// SPDX-License-Identifier: MIT
#include "api/document/error_document.h"

namespace mlos::api::document {

void WriteErrorMembers(JsonWriter& writer, const Status& status) {
  writer.Text("code", ToString(status.code()));
  writer.Text("reason", ToString(status.reason()));
  writer.Text("field", status.field());
  writer.Text("message", status.message());
}

}  // namespace mlos::api::document
