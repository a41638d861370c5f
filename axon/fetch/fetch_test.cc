// SPDX-License-Identifier: MIT
#include <arpa/inet.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <netinet/in.h>

#include <cstdlib>
#include <filesystem>
#include <string>

#include "axon/fetch/access.h"
#include "axon/fetch/address.h"
#include "axon/fetch/backoff.h"
#include "axon/fetch/download.h"
#include "axon/fetch/partial_file.h"
#include "axon/fetch/url.h"

namespace axon::fetch {
namespace {

using mlos::Reason;

Url Parsed(std::string_view text) { return Url::Parse(text).value(); }

AddressClass ClassOfText(const std::string& text) {
  sockaddr_in in{.sin_family = AF_INET};
  if (::inet_pton(AF_INET, text.c_str(), &in.sin_addr) == 1) {
    return ClassOf(reinterpret_cast<sockaddr&>(in));
  }
  sockaddr_in6 in6{.sin6_family = AF_INET6};
  EXPECT_EQ(::inet_pton(AF_INET6, text.c_str(), &in6.sin6_addr), 1) << text;
  return ClassOf(reinterpret_cast<sockaddr&>(in6));
}

sockaddr_in Ip4(const char* text) {
  sockaddr_in in{.sin_family = AF_INET};
  ::inet_pton(AF_INET, text, &in.sin_addr);
  return in;
}

bool Admits(Access& access, const Url& url, const char* address) {
  const sockaddr_in in = Ip4(address);
  return access.Admits(url, reinterpret_cast<const sockaddr&>(in));
}

TEST(UrlTest, TakesHttpAndHttpsOnly) {
  const Url url = Parsed("HTTPS://Hub.Example:8443/a%2Fb?x=y#part");
  EXPECT_EQ(url.Origin(), "https://hub.example:8443");
  EXPECT_EQ(url.Shown(), "https://hub.example:8443/a%2Fb");
  EXPECT_EQ(Parsed("http://[::1]/").Origin(), "http://[::1]:80");
  for (const char* bad :
       {"", "hub.example", "file:///etc/passwd", "ftp://a/", "gopher://a/", "http://user:secret@a/",
        "http://a/ b", "http://a/\xc3\xbc", "http://a/\r\nHost: b", "unix:///run/x"}) {
    const auto parsed = Url::Parse(bad);
    ASSERT_FALSE(parsed.ok()) << bad;
    EXPECT_EQ(parsed.status().reason(), Reason::kInvalidField) << bad;
  }
}

TEST(UrlTest, RedirectsKeepTheirQuery) {
  const Url base = Parsed("https://hub.example/a/resolve/main/x?old=1");
  EXPECT_EQ(base.Resolve("/cache/x?etag=%221%22").value().text(),
            "https://hub.example/cache/x?etag=%221%22");
  EXPECT_EQ(base.Resolve("//cdn.example/y?sig=a%2Fb").value().text(),
            "https://cdn.example/y?sig=a%2Fb");
  EXPECT_EQ(base.Resolve("http://cdn.example/y").value().text(), "http://cdn.example/y");
  EXPECT_FALSE(base.Resolve("file:///etc/passwd").ok());
  EXPECT_FALSE(base.Resolve("").ok());
}

TEST(UrlTest, EncodesWhatAPathSegmentCannotHold) {
  EXPECT_EQ(PercentEncode("a b/ü?#%"), "a%20b%2F%C3%BC%3F%23%25");
  EXPECT_EQ(PercentEncode("onnx/model.onnx", true), "onnx/model.onnx");
}

TEST(AddressTest, EveryRangeHasItsClass) {
  const std::pair<AddressClass, std::vector<const char*>> cases[] = {
      {AddressClass::kPublic,
       {"8.8.8.8", "172.15.0.1", "172.32.0.1", "100.128.0.1", "192.167.1.1", "2001:4860:4860::8888",
        "64:ff9b::808:808"}},
      {AddressClass::kLoopback,
       {"127.0.0.1", "127.255.255.254", "::1", "::ffff:127.0.0.1", "64:ff9b::7f00:1",
        "2002:7f00:1::"}},
      {AddressClass::kPrivate,
       {"10.0.0.1", "172.16.0.1", "172.31.255.255", "192.168.1.1", "100.64.0.1", "fc00::1",
        "fdff::1", "::ffff:10.1.2.3"}},
      {AddressClass::kLinkLocal, {"169.254.169.254", "fe80::1", "::ffff:169.254.169.254"}},
      {AddressClass::kReserved,
       {"0.0.0.0", "0.1.2.3", "224.0.0.1", "255.255.255.255", "::", "ff02::1", "198.18.0.1",
        "192.0.2.1", "2001:db8::1"}},
  };
  for (const auto& [expected, addresses] : cases) {
    for (const char* address : addresses) {
      EXPECT_EQ(ToString(ClassOfText(address)), ToString(expected)) << address;
    }
  }
}

TEST(AccessTest, NoRedirectLeavesHttps) {
  const Access access(Parsed("https://hub.example"));
  const auto status =
      access.CheckRedirect(Parsed("https://hub.example/a"), Parsed("http://hub.example/a"));
  EXPECT_EQ(status.reason(), Reason::kHostNotAllowed);
  // Not even when the endpoint itself is plain http: some hop had been secure.
  const Access plain(Parsed("http://localhost:1"));
  EXPECT_FALSE(
      plain.CheckRedirect(Parsed("https://cdn.example/"), Parsed("http://localhost:1/")).ok());
  EXPECT_TRUE(
      plain.CheckRedirect(Parsed("http://localhost:1/"), Parsed("http://cdn.example/")).ok());
  EXPECT_TRUE(
      access.CheckRedirect(Parsed("https://hub.example/"), Parsed("https://cdn.example/")).ok());
}

TEST(AccessTest, APublicEndpointLeadsToNoPrivateAddress) {
  Access access(Parsed("https://hub.example"));
  EXPECT_TRUE(Admits(access, Parsed("https://hub.example/"), "8.8.8.8"));
  // The name is innocent; what it resolves to is not.
  const Url rebound = Parsed("https://cdn.example/");
  EXPECT_TRUE(Admits(access, rebound, "9.9.9.9"));
  for (const char* address : {"127.0.0.1", "10.0.0.1", "169.254.169.254", "0.0.0.0"}) {
    EXPECT_FALSE(Admits(access, rebound, address)) << address;
  }
  for (const char* target : {"https://127.0.0.1/", "https://localhost/", "https://[::1]/",
                             "https://169.254.169.254/latest/meta-data", "https://2130706433/"}) {
    EXPECT_FALSE(access.CheckRedirect(Parsed("https://hub.example/"), Parsed(target)).ok())
        << target;
  }
}

TEST(AccessTest, APrivateEndpointMayUseItsOwnClassOnly) {
  Access access(Parsed("http://127.0.0.1:9000"));
  const Url elsewhere = Parsed("http://127.0.0.1:9001/");
  EXPECT_FALSE(Admits(access, elsewhere, "127.0.0.1"));
  EXPECT_TRUE(Admits(access, access.endpoint(), "127.0.0.1"));
  EXPECT_TRUE(Admits(access, elsewhere, "127.0.0.1"));
  EXPECT_FALSE(Admits(access, elsewhere, "10.0.0.1"));
  EXPECT_FALSE(Admits(access, elsewhere, "169.254.169.254"));
}

TEST(AccessTest, TheTokenGoesToTheExactOriginOnly) {
  const Access access(Parsed("https://hub.example"), "hf_secret");
  EXPECT_EQ(access.TokenFor(Parsed("https://hub.example/api")), "hf_secret");
  EXPECT_EQ(access.TokenFor(Parsed("https://hub.example:443/api")), "hf_secret");
  for (const char* other : {"http://hub.example/", "https://hub.example:8443/",
                            "https://cdn.hub.example/", "https://hub.example.evil/"}) {
    EXPECT_EQ(access.TokenFor(Parsed(other)), "") << other;
  }
}

TEST(AccessTest, APublicHttpEndpointNeverSeesTheToken) {
  const Access open(Parsed("http://8.8.8.8"), "hf_secret");
  EXPECT_EQ(open.TokenFor(open.endpoint()), "");
  const Access local(Parsed("http://127.0.0.1:9000"), "hf_secret");
  EXPECT_EQ(local.TokenFor(local.endpoint()), "hf_secret");
}

TEST(AccessTest, ProxiesComeFromTheEnvironment) {
  ::setenv("HTTPS_PROXY", "http://proxy:3128", 1);
  ::setenv("NO_PROXY", "corp.example, .local", 1);
  EXPECT_EQ(Access::ProxyFor(Parsed("https://hub.example/")), "http://proxy:3128");
  EXPECT_EQ(Access::ProxyFor(Parsed("http://hub.example/")), "");
  EXPECT_EQ(Access::ProxyFor(Parsed("https://a.corp.example/")), "");
  EXPECT_EQ(Access::ProxyFor(Parsed("https://notcorp.example/")), "http://proxy:3128");
  EXPECT_EQ(Access::ProxyFor(Parsed("https://box.local/")), "");
  ::setenv("http_proxy", "http://proxy:3128", 1);
  EXPECT_EQ(Access::ProxyFor(Parsed("http://hub.example/")), "http://proxy:3128");
  for (const char* here : {"http://127.0.0.1:8080/", "http://127.3.2.1/", "http://[::1]:8080/",
                           "http://localhost:8080/", "https://core.localhost/"}) {
    EXPECT_EQ(Access::ProxyFor(Parsed(here)), "") << here;
  }
  ::unsetenv("http_proxy");
  ::setenv("NO_PROXY", "*", 1);
  EXPECT_EQ(Access::ProxyFor(Parsed("https://hub.example/")), "");
  ::unsetenv("HTTPS_PROXY");
  ::unsetenv("NO_PROXY");
}

TEST(BackoffTest, WaitsLongerEachTimeAndGivesUp) {
  Backoff backoff(3);
  for (int retry = 0; retry < 3; ++retry) {
    const auto wait = backoff.Next("");
    ASSERT_TRUE(wait.has_value());
    EXPECT_GE(*wait, Backoff::kFirst * (1 << retry) / 2);
    EXPECT_LE(*wait, Backoff::kFirst * (1 << retry));
  }
  EXPECT_FALSE(backoff.Next("").has_value());
  backoff.Reset();
  EXPECT_TRUE(backoff.Next("").has_value());
}

TEST(BackoffTest, HonoursRetryAfterWithinReason) {
  EXPECT_EQ(Backoff(1).Next("7"), std::chrono::seconds(7));
  EXPECT_FALSE(Backoff(1).Next("86400").has_value());
  EXPECT_LE(*Backoff(1).Next("soon"), Backoff::kFirst);
  EXPECT_EQ(ParseRetryAfter("Thu, 01 Jan 1970 00:00:00 GMT"), std::chrono::seconds(0));
  EXPECT_FALSE(ParseRetryAfter("").has_value());
}

class PartialFileTest : public testing::Test {
 protected:
  void SetUp() override {
    std::string name = (std::filesystem::temp_directory_path() / "axon_fetch_XXXXXX").string();
    ASSERT_NE(::mkdtemp(name.data()), nullptr);
    folder_ = name;
  }
  void TearDown() override { std::filesystem::remove_all(folder_); }
  std::filesystem::path folder_;
};

TEST_F(PartialFileTest, AnotherProcessGoesOnWithItsBytesAndNote) {
  {
    PartialFile part = PartialFile::Open(folder_ / "x.part", 10).value();
    ASSERT_TRUE(part.Append("01234").ok());
    ASSERT_TRUE(part.WriteNote("http://a/x", "\"e\"").ok());
  }
  const PartialFile part = PartialFile::Open(folder_ / "x.part", 10).value();
  EXPECT_EQ(part.size_bytes(), 5u);
  EXPECT_EQ(part.EtagFrom("http://a/x"), "\"e\"");
  EXPECT_EQ(part.EtagFrom("http://b/x"), "");
  std::string bytes;
  ASSERT_TRUE(
      part.Replay([&](std::string_view piece) { return !bytes.append(piece).empty(); }).ok());
  EXPECT_EQ(bytes, "01234");
}

TEST_F(PartialFileTest, MoreBytesThanTheFileHasAreWorthless) {
  ASSERT_TRUE(PartialFile::Open(folder_ / "x.part", 10).value().Append("0123456789").ok());
  EXPECT_EQ(PartialFile::Open(folder_ / "x.part", 9).value().size_bytes(), 0u);
}

TEST_F(PartialFileTest, TwoAtOnceAreRefused) {
  PartialFile part = PartialFile::Open(folder_ / "x.part", 10).value();
  EXPECT_EQ(PartialFile::Open(folder_ / "x.part", 10).status().reason(), Reason::kStateLocked);
  part.Discard();
  EXPECT_TRUE(std::filesystem::is_empty(folder_));
  EXPECT_TRUE(PartialFile::Open(folder_ / "x.part", 10).ok());
}

TEST_F(PartialFileTest, WhatWasFoundRightStaysLockedUntilItIsStored) {
  ASSERT_TRUE(PartialFile::Open(folder_ / "x.part", 7).value().Append("weights").ok());
  Access access(Parsed("http://127.0.0.1:1"), "");
  const ExpectedContent expected{7, ExpectedContent::Kind::kSha256,
                                 mlos::package::DigestOf("weights").Hex()};
  const std::vector<DownloadItem> items = {
      {"x", Parsed("http://127.0.0.1:1/x"), expected, folder_ / "x.part"}};
  {
    const CancelFlag cancel;
    const auto fetched = Download(access, cancel, {}, items, {});
    ASSERT_TRUE(fetched.ok()) << fetched.status();
    EXPECT_EQ(PartialFile::Open(folder_ / "x.part", 7).status().reason(), Reason::kStateLocked);
  }
  EXPECT_TRUE(PartialFile::Open(folder_ / "x.part", 7).ok());
}

TEST_F(PartialFileTest, ASymbolicLinkIsNotFollowed) {
  std::filesystem::create_symlink("/dev/null", folder_ / "x.part");
  EXPECT_FALSE(PartialFile::Open(folder_ / "x.part", 10).ok());
}

}  // namespace
}  // namespace axon::fetch
