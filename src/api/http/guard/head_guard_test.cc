// SPDX-License-Identifier: MIT
#include "api/http/guard/head_guard.h"

#include <gtest/gtest.h>

#include <string>

namespace mlos::api::http::guard {
namespace {

std::string Get(std::string_view headers, std::string_view line = "GET /health HTTP/1.1") {
  return std::string(line) + "\r\nHost: localhost\r\n" + std::string(headers) + "\r\n";
}

/// "OK", or the reason of the refusal; "incomplete" where more is waited for.
std::string Judge(std::string_view head, std::size_t piece = std::string_view::npos) {
  const HeadLimits limits;
  HeadGuard guard(limits);
  for (std::size_t seen = std::min(piece, head.size());;
       seen = std::min(seen + piece, head.size())) {
    const auto inspected = guard.Inspect(head.substr(0, seen));
    if (!inspected.ok()) return std::string(ToString(inspected.status().reason()));
    if (*inspected != 0) return *inspected == head.size() ? "OK" : "length";
    if (seen == head.size()) return "incomplete";
  }
}

struct Case {
  std::string name;
  std::string head;
  std::string verdict;
};

void PrintTo(const Case& c, std::ostream* out) { *out << c.name; }

class HeadGuardTest : public testing::TestWithParam<Case> {};

// Whole at once and byte by byte: where a head is cut must never matter.
TEST_P(HeadGuardTest, Judges) {
  EXPECT_EQ(Judge(GetParam().head), GetParam().verdict);
  EXPECT_EQ(Judge(GetParam().head, 1), GetParam().verdict);
}

std::string Repeat(std::string_view text, int count) {
  std::string repeated;
  while (count-- > 0) repeated += text;
  return repeated;
}

std::vector<Case> PlainAndLargeHeads() {
  return {
      {"Plain", Get(""), "OK"},
      {"WithLength", Get("Content-Length: 5\r\n"), "OK"},
      {"WithChunks", Get("Transfer-Encoding:  Chunked \r\n"), "OK"},
      {"EmptyValue", Get("X-Empty:\r\n"), "OK"},
      {"ObsText", Get("X-Name: caf\xc3\xa9\r\n"), "OK"},
      {"Http10WithoutHost", "GET / HTTP/1.0\r\n\r\n", "OK"},
      {"AnyResource", Get("", "OPTIONS * HTTP/1.1"), "OK"},
      {"Cut", "GET / HTTP/1.1\r\nHost: localhost\r\n", "incomplete"},
      {"ManyHeaders", Get(Repeat("X-H: 1\r\n", 100)), "HEADER_TOO_LARGE"},
      {"LongHeader", Get("X-Long: " + std::string(70'000, 'a') + "\r\n"), "HEADER_TOO_LARGE"},
      {"EndlessHeader", "GET / HTTP/1.1\r\nX-Long: " + std::string(70'000, 'a'),
       "HEADER_TOO_LARGE"},
      {"LongTarget", Get("", "GET /" + std::string(9'000, 'a') + " HTTP/1.1"), "URI_TOO_LONG"},
      {"EndlessTarget", "GET /" + std::string(9'000, 'a'), "URI_TOO_LONG"},
  };
}

// What two readers of HTTP could understand differently.
std::vector<Case> AmbiguousHeads() {
  const auto bad = [](std::string name, std::string head) {
    return Case{std::move(name), std::move(head), "MALFORMED_REQUEST"};
  };
  return {
      bad("BareLf", "GET / HTTP/1.1\nHost: localhost\n\n"),
      bad("BareLfInHeader", Get("X-A: 1\nX-B: 2\r\n")),
      bad("BareCr", Get("X-A: 1\rX-B: 2\r\n")),
      bad("Nul", Get(std::string("X-A: 1\0\r\n", 9))),
      bad("Delete", Get("X-A: \x7f\r\n")),
      bad("Folded", Get("X-A: 1\r\n  2\r\n")),
      bad("FoldedByTab", Get("X-A: 1\r\n\t2\r\n")),
      bad("SpaceBeforeColon", Get("Content-Length : 5\r\n")),
      bad("TabBeforeColon", Get("Transfer-Encoding\t: chunked\r\n")),
      bad("NoColon", Get("Content-Length\r\n")),
      bad("NoName", Get(": 5\r\n")),
      bad("NameWithBrackets", Get("Content(Length): 5\r\n")),
      bad("TwoLengths", Get("Content-Length: 5\r\nContent-Length: 6\r\n")),
      bad("TwoEqualLengths", Get("Content-Length: 5\r\ncontent-length: 5\r\n")),
      bad("LengthList", Get("Content-Length: 5, 5\r\n")),
      bad("LengthWithPlus", Get("Content-Length: +5\r\n")),
      bad("NegativeLength", Get("Content-Length: -5\r\n")),
      bad("HexLength", Get("Content-Length: 0x5\r\n")),
      bad("FractionalLength", Get("Content-Length: 5.0\r\n")),
      bad("NoLength", Get("Content-Length:\r\n")),
      bad("OverflowingLength", Get("Content-Length: 18446744073709551621\r\n")),
      bad("LengthAndChunks", Get("Content-Length: 5\r\nTransfer-Encoding: chunked\r\n")),
      bad("ChunksAndLength", Get("Transfer-Encoding: chunked\r\nContent-Length: 5\r\n")),
      bad("ChunkedIdentity", Get("Transfer-Encoding: chunked, identity\r\n")),
      bad("GzipChunked", Get("Transfer-Encoding: gzip, chunked\r\n")),
      bad("ChunkedTwice", Get("Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n")),
      bad("IdentityCoding", Get("Transfer-Encoding: identity\r\n")),
      bad("VerticalTabChunked", Get("Transfer-Encoding: \x0b"
                                    "chunked\r\n")),
      bad("ChunkedOver10", "POST / HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n"),
      bad("TwoHosts", Get("Host: localhost\r\n")),
      bad("NoHost", "GET / HTTP/1.1\r\n\r\n"),
      bad("TwoEncodings", Get("Content-Encoding: gzip\r\nContent-Encoding: gzip\r\n")),
      bad("AbsoluteTarget", Get("", "GET http://localhost/ HTTP/1.1")),
      bad("AuthorityTarget", Get("", "CONNECT localhost:80 HTTP/1.1")),
      bad("AnyResourceOfGet", Get("", "GET * HTTP/1.1")),
      bad("SpaceInTarget", Get("", "GET /a b HTTP/1.1")),
      bad("TwoSpaces", Get("", "GET  / HTTP/1.1")),
      bad("Utf8Target", Get("", "GET /\xc3\xa9 HTTP/1.1")),
      bad("NoVersion", Get("", "GET /")),
      bad("Http2", "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"),
      bad("LowerCaseVersion", Get("", "GET / http/1.1")),
      bad("BadMethod", Get("", "G(T / HTTP/1.1")),
      bad("EmptyLineFirst", "\r\nGET / HTTP/1.1\r\nHost: localhost\r\n\r\n"),
  };
}

constexpr auto kCaseName = [](const auto& info) { return info.param.name; };
INSTANTIATE_TEST_SUITE_P(Plain, HeadGuardTest, testing::ValuesIn(PlainAndLargeHeads()), kCaseName);
INSTANTIATE_TEST_SUITE_P(Ambiguous, HeadGuardTest, testing::ValuesIn(AmbiguousHeads()), kCaseName);

TEST(HeadGuardLimitsTest, StopsAtTheHeadAndLeavesTheBody) {
  const HeadLimits limits;
  HeadGuard guard(limits);
  const std::string head = Get("Content-Length: 3\r\n");
  EXPECT_EQ(guard.Inspect(head + "\n\n\n").value(), head.size());
  EXPECT_EQ(guard.head_bytes(), head.size());
  guard.Reset();
  EXPECT_FALSE(guard.started());
}

}  // namespace
}  // namespace mlos::api::http::guard
