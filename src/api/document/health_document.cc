// SPDX-License-Identifier: MIT
#include "api/document/health_document.h"

#include "base/clock.h"

namespace mlos::api::document {

void WriteHealth(JsonWriter& writer, std::string_view version,
                 const std::vector<std::string>& apis) {
  writer.Text("status", "healthy");
  writer.Text("service", "mlos-core");
  writer.Text("version", version);
  writer.Key("apis");
  writer.StartArray();
  for (const std::string& door : apis) writer.Text(door);
  writer.EndArray();
  writer.Integer("timestamp", UnixSecondsNow());
}

}  // namespace mlos::api::document
