// SPDX-License-Identifier: MIT
#include "api/http/guard/host_policy.h"

#include <gtest/gtest.h>

namespace mlos::api::http::guard {
namespace {

Claims Claim(std::optional<std::string_view> host,
             std::optional<std::string_view> origin = std::nullopt) {
  return {host, origin, {}};
}

TEST(HostPolicyTest, KnowsItsOwnNames) {
  const HostPolicy policy({"models.example.com", "other.example.com:8443"}, "10.0.0.7");
  for (const std::string_view host :
       {"localhost", "LocalHost:8080", "localhost.", "127.0.0.1:8080", "[::1]", "[::1]:8080",
        "10.0.0.7:8080", "models.example.com", "Models.Example.Com:443", "other.example.com"}) {
    EXPECT_TRUE(policy.Check(Claim(host)).ok()) << host;
  }
  for (const std::string_view host :
       {"", ":8080", "evil.com", "localhost.evil.com", "evil.com:8080", "127.0.0.1.evil.com",
        "127.0.0.2", "0.0.0.0", "localhost:80a", "localhost:", "[::1", "[::1]x",
        "[::1]:", "localhost@evil.com", "user@localhost", "sub.models.example.com", "*"}) {
    const Status status = policy.Check(Claim(host));
    ASSERT_FALSE(status.ok()) << host;
    EXPECT_EQ(status.reason(), Reason::kHostNotAllowed) << host;
  }
}

TEST(HostPolicyTest, ChecksTheOriginOfPages) {
  const HostPolicy policy({"app.example.com"}, "127.0.0.1");
  for (const std::string_view origin : {"http://localhost:3000", "https://app.example.com",
                                        "HTTP://127.0.0.1", "http://[::1]:8080"}) {
    EXPECT_TRUE(policy.Check(Claim("localhost", origin)).ok()) << origin;
  }
  for (const std::string_view origin :
       {"null", "", "http://evil.com", "https://app.example.com.evil.com", "file://localhost",
        "http://", "localhost", "http://localhost/evil", "http://localhost@evil.com"}) {
    const Status status = policy.Check(Claim("localhost", origin));
    ASSERT_FALSE(status.ok()) << origin;
    EXPECT_EQ(status.reason(), Reason::kOriginNotAllowed) << origin;
  }
}

TEST(HostPolicyTest, AnswersToTheAddressAConnectionCameInAt) {
  const HostPolicy policy({}, "0.0.0.0");
  Claims claims = Claim("192.168.1.5:8080");
  EXPECT_FALSE(policy.Check(claims).ok());
  claims.local_address = "192.168.1.5";
  EXPECT_TRUE(policy.Check(claims).ok());
}

TEST(HostPolicyTest, AStarAllowsAll) {
  const HostPolicy policy({"*"}, "0.0.0.0");
  EXPECT_TRUE(policy.Check(Claim("anything", "http://anywhere")).ok());
}

}  // namespace
}  // namespace mlos::api::http::guard
