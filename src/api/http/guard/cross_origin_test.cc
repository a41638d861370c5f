// SPDX-License-Identifier: MIT
#include "api/http/guard/cross_origin.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace mlos::api::http::guard {
namespace {

using testing::HasSubstr;
using testing::Not;

TEST(CrossOriginTest, ReadsOriginsAsBrowsersWriteThem) {
  const std::pair<std::string_view, std::string_view> cases[] = {
      {"https://app.example.com", "https://app.example.com"},
      {"HTTPS://App.Example.com", "https://app.example.com"},
      {"https://app.example.com:443", "https://app.example.com"},
      {"http://app.example.com:80", "http://app.example.com"},
      {"http://app.example.com:443", "http://app.example.com:443"},
      {"http://localhost:3000", "http://localhost:3000"},
      {"http://[::1]:3000", "http://[::1]:3000"},
      {"http://[::1]", "http://[::1]"},
      {"http://127.0.0.1:5173", "http://127.0.0.1:5173"},
  };
  for (const auto& [text, origin] : cases) {
    const Result<std::string> read = ParseOrigin(text);
    ASSERT_TRUE(read.ok()) << text << ": " << read.status();
    EXPECT_EQ(*read, origin);
  }
}

TEST(CrossOriginTest, RefusesWhatIsNoOrigin) {
  for (const std::string_view text : {"",
                                      "*",
                                      "null",
                                      "app.example.com",
                                      "https://",
                                      "https://*",
                                      "https://*.example.com",
                                      "https://app.example.com/",
                                      "https://app.example.com/page",
                                      "https://user@app.example.com",
                                      "https://app.example.com:",
                                      "https://app.example.com:0",
                                      "https://app.example.com:65536",
                                      "https://app.example.com:80:80",
                                      "https://a b",
                                      "https://a\r\nb",
                                      "https://a,b",
                                      "ftp://app.example.com",
                                      "file://",
                                      "http://[::1",
                                      "http://[]",
                                      "http://::1",
                                      "http://[::1]x"}) {
    const Result<std::string> read = ParseOrigin(text);
    ASSERT_FALSE(read.ok()) << text << " is " << *read;
    EXPECT_THAT(std::string(read.status().message()), HasSubstr("https://app.example.com")) << text;
  }
}

TEST(CrossOriginTest, ComparesTheWholeOrigin) {
  const CrossOrigin policy({"https://app.example.com", "http://localhost:3000"});
  EXPECT_TRUE(policy.Names("https://app.example.com"));
  EXPECT_TRUE(policy.Names("http://localhost:3000"));
  for (const std::string_view other :
       {"http://app.example.com", "https://app.example.com:8443",
        "https://app.example.com.evil.org", "https://evil.org", "https://sub.app.example.com",
        "http://localhost", "http://localhost:30", "http://localhost:30000", "null", "", "*",
        "https://APP.example.com"}) {
    EXPECT_FALSE(policy.Names(other)) << other;
    EXPECT_EQ(policy.HeadersFor(other), "Vary: Origin\r\n") << other;
  }
  EXPECT_FALSE(policy.Names(std::nullopt));
  EXPECT_EQ(policy.HeadersFor(std::nullopt), "Vary: Origin\r\n");
}

TEST(CrossOriginTest, AnswersTheOriginItselfAndNeverAStar) {
  const CrossOrigin policy({"https://app.example.com:443", "*"});
  const std::string lines(policy.HeadersFor("https://app.example.com"));
  EXPECT_THAT(lines, HasSubstr("Access-Control-Allow-Origin: https://app.example.com\r\n"));
  EXPECT_THAT(lines, HasSubstr("Access-Control-Allow-Credentials: true\r\n"));
  EXPECT_THAT(lines, HasSubstr("Vary: Origin\r\n"));
  EXPECT_THAT(lines, Not(HasSubstr("*")));
}

TEST(CrossOriginTest, SaysNothingWithoutOrigins) {
  const CrossOrigin policy({});
  EXPECT_EQ(policy.HeadersFor("https://app.example.com"), "");
  EXPECT_EQ(policy.HeadersFor(std::nullopt), "");
}

TEST(CrossOriginTest, APreflightAllowsAPrivateNetworkIfAsked) {
  EXPECT_THAT(PreflightHeaders("GET, HEAD, OPTIONS", false),
              HasSubstr("Access-Control-Allow-Methods: GET, HEAD, OPTIONS\r\n"));
  EXPECT_THAT(PreflightHeaders("GET", false), Not(HasSubstr("Private-Network")));
  EXPECT_THAT(PreflightHeaders("GET", true),
              HasSubstr("Access-Control-Allow-Private-Network: true\r\n"));
}

}  // namespace
}  // namespace mlos::api::http::guard
