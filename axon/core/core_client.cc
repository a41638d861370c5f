// SPDX-License-Identifier: MIT
#include "axon/core/core_client.h"

#include <simdjson.h>

#include "axon/ui/hint.h"
#include "axon/ui/json_writer.h"

namespace axon::core {
namespace {

using fetch::Response;
using fetch::Url;
using mlos::Reason;
using mlos::Result;
using mlos::Status;

constexpr std::size_t kAnswerBytesMax = 1 << 20;

fetch::ClientOptions OptionsOf(std::chrono::seconds stall) {
  fetch::ClientOptions options;
  options.timeouts = {.connect = std::chrono::seconds(3), .stall = stall};
  options.retries_max = 0;
  options.body_bytes_max = kAnswerBytesMax;
  options.follow_redirects = false;
  return options;
}

/// A text field of a JSON object; empty if there is none.
std::string FieldOf(const std::string& json, std::string_view key) {
  simdjson::dom::parser parser;
  simdjson::dom::element root;
  std::string_view text;
  if (parser.parse(json).get(root) != simdjson::SUCCESS) return {};
  return root[key].get(text) == simdjson::SUCCESS ? std::string(text) : std::string();
}

Status Refused(const Response& response) {
  std::string message = FieldOf(response.body, "message");
  if (message.empty()) message = "status " + std::to_string(response.head.status);
  const std::string reason = FieldOf(response.body, "reason");
  if (!reason.empty()) message += " (" + reason + ")";
  return {Reason::kServerError, "MLOS Core refuses: " + message};
}

}  // namespace

CoreClient::CoreClient(const Url& endpoint, const fetch::CancelFlag& cancel,
                       std::chrono::seconds stall)
    : access_(endpoint), client_(access_, cancel, OptionsOf(stall)) {}

Result<Url> CoreClient::Address(const std::string& path) const {
  std::string base = access_.endpoint().text();
  while (base.ends_with('/')) base.pop_back();
  return Url::Parse(base + path);
}

Status CoreClient::Unreachable(const Status& why) const {
  if (why.reason() == Reason::kCancelled) return why;
  return ui::WithHint(
      {Reason::kNetwork, "MLOS Core cannot be reached at " + access_.endpoint().Origin() + ": " +
                             std::string(why.message())},
      "start mlos_core, or set MLOS_CORE_ENDPOINT to its address");
}

Result<std::string> CoreClient::Version() {
  const Result<Response> response = client_.Get(MLOS_TRY(Address("/health")));
  if (!response.ok()) return Unreachable(response.status());
  if (response->head.status != 200) return Refused(*response);
  return FieldOf(response->body, "version");
}

Result<std::string> CoreClient::Register(const Registration& registration) {
  ui::JsonWriter body(ui::JsonWriter::Style::kLine);
  body.BeginObject()
      .Field("model_id", registration.model_id)
      .Field("name", registration.name)
      .Field("framework", registration.framework)
      .Field("execution_format", registration.execution_format)
      .Field("path", registration.path)
      .Field("description", registration.description)
      .Field("manifest_path", registration.manifest_path)
      .EndObject();
  const Url url = MLOS_TRY(Address("/models/register"));
  const Result<Response> response = client_.Post(url, std::string(body.text()));
  if (!response.ok()) return Unreachable(response.status());
  if (response->head.status != 200) return Refused(*response);
  return FieldOf(response->body, "message");
}

Result<bool> CoreClient::Has(const std::string& model_id) {
  const Url url = MLOS_TRY(Address("/models/" + fetch::PercentEncode(model_id)));
  const Result<Response> response = client_.Get(url);
  if (!response.ok()) return Unreachable(response.status());
  if (response->head.status == 404) return false;
  if (response->head.status != 200) return Refused(*response);
  return true;
}

}  // namespace axon::core
