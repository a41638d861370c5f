// SPDX-License-Identifier: MIT
#include "axon/core/core_client.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>

#include "axon/core/test_server.h"
#include "axon/ui/hint.h"

namespace axon::core {
namespace {

using mlos::Reason;
using testing::HasSubstr;
using testing::StartsWith;

CoreClient ClientOf(const fetch::Url& endpoint) {
  static const fetch::CancelFlag kNever;
  return CoreClient(endpoint, kNever, std::chrono::seconds(20));
}

TEST(CoreClientTest, ReadsTheVersionBelowTheEndpointsPath) {
  OneAnswer core("200 OK", R"({"status":"healthy","version":"1.2.3"})");
  EXPECT_EQ(ClientOf(core.url("/mlos/")).Version().value(), "1.2.3");
  EXPECT_THAT(core.request(), StartsWith("GET /mlos/health HTTP/1.1\r\n"));
}

TEST(CoreClientTest, SendsEveryFieldOfARegistration) {
  OneAnswer core("200 OK", R"({"message":"model registered"})");
  const Registration registration{.model_id = "hf/org/m@latest",
                                  .name = "m",
                                  .framework = "pytorch",
                                  .execution_format = "onnx",
                                  .path = "/models/a \"b\"",
                                  .description = "line\nbreak",
                                  .manifest_path = "/models/manifest.yaml"};
  EXPECT_EQ(ClientOf(core.url()).Register(registration).value(), "model registered");
  EXPECT_THAT(core.request(), StartsWith("POST /models/register HTTP/1.1\r\n"));
  EXPECT_THAT(core.request(), HasSubstr(R"("model_id":"hf/org/m@latest")"));
  EXPECT_THAT(core.request(), HasSubstr(R"("execution_format":"onnx")"));
  EXPECT_THAT(core.request(), HasSubstr(R"("path":"/models/a \"b\"")"));
  EXPECT_THAT(core.request(), HasSubstr(R"("description":"line\nbreak")"));
  EXPECT_THAT(core.request(), HasSubstr(R"("manifest_path":"/models/manifest.yaml")"));
}

TEST(CoreClientTest, ARefusalIsToldInCoresWords) {
  const std::pair<std::string, std::string> cases[] = {
      {R"({"message":"no such plugin","reason":"PLUGIN_NOT_FOUND"})",
       "MLOS Core refuses: no such plugin (PLUGIN_NOT_FOUND)"},
      {R"({"message":7})", "MLOS Core refuses: status 422"},
      {"<html>", "MLOS Core refuses: status 422"},
      {"", "MLOS Core refuses: status 422"},
  };
  for (const auto& [body, expected] : cases) {
    OneAnswer core("422 Unprocessable Entity", body);
    const mlos::Status status = ClientOf(core.url()).Register({}).status();
    EXPECT_EQ(status.reason(), Reason::kServerError);
    EXPECT_EQ(status.message(), expected);
  }
}

TEST(CoreClientTest, AModelIsThereOrNotOrCoreRefuses) {
  OneAnswer there("200 OK", "{}");
  EXPECT_EQ(ClientOf(there.url()).Has("hf/org/m@latest").value(), true);
  EXPECT_THAT(there.request(), StartsWith("GET /models/hf%2Forg%2Fm%40latest HTTP/1.1\r\n"));
  OneAnswer missing("404 Not Found", "{}");
  EXPECT_EQ(ClientOf(missing.url()).Has("m").value(), false);
  OneAnswer draining("503 Service Unavailable", R"({"reason":"DRAINING"})");
  EXPECT_EQ(ClientOf(draining.url()).Has("m").status().reason(), Reason::kServerError);
}

TEST(CoreClientTest, ACoreThatIsNotThereIsNamedWithWhatToDo) {
  const fetch::Url nobody = fetch::Url::Parse("http://127.0.0.1:1").value();
  const mlos::Status status = ClientOf(nobody).Version().status();
  EXPECT_EQ(status.reason(), Reason::kNetwork);
  const ui::Explanation shown = ui::Explain(status);
  EXPECT_THAT(shown.message, StartsWith("MLOS Core cannot be reached at http://127.0.0.1:1: "));
  ASSERT_EQ(shown.hints.size(), 1U);
  EXPECT_THAT(shown.hints[0], HasSubstr("MLOS_CORE_ENDPOINT"));
}

TEST(CoreClientTest, ARedirectIsNotFollowed) {
  OneAnswer core("302 Found", "");
  EXPECT_FALSE(ClientOf(core.url()).Version().ok());
}

}  // namespace
}  // namespace axon::core
