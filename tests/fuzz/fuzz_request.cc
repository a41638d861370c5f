// SPDX-License-Identifier: MIT
// The guard reads a head the same way whole and byte by byte, and the parser understands every head
// that the guard lets through, or refuses it; its body never exceeds the limit, inflated neither.
// Where it goes is decided as the daemon decides it: Host and Origin, the target, the route.
#include <cstdint>
#include <regex>
#include <string>
#include <string_view>

#include "api/http/dialects.h"
#include "api/http/guard/head_guard.h"
#include "api/http/guard/host_policy.h"
#include "api/http/guard/target.h"
#include "api/http/router.h"
#include "api/http/wire/coding.h"
#include "api/http/wire/request_parser.h"
#include "base/check.h"
#include "net/byte_buffer.h"
#include "net/coding.h"
#include "resource/byte_budget.h"

namespace {

namespace guard = mlos::api::http::guard;
namespace http = mlos::api::http;
namespace wire = mlos::api::http::wire;

constexpr std::uint64_t kBodyBytesMax = 1024;
constexpr std::uint64_t kInflatedBytesMax = 1 << 20;

// The length of the head, 0 where it has no end yet, or a refusal, with the bytes arriving singly.
mlos::Result<std::size_t> InspectSlowly(const guard::HeadLimits& limits, std::string_view text) {
  guard::HeadGuard guard(limits);
  for (std::size_t size = 1; size <= text.size(); ++size) {
    auto length = guard.Inspect(text.substr(0, size));
    if (!length.ok() || *length != 0) return length;
  }
  return std::size_t{0};
}

// Whether `host` is a name of ours, with a port at most.
bool IsOurs(std::string_view host) {
  static const std::regex ours(
      R"((localhost|127\.0\.0\.1|mlos\.example|10\.1\.2\.3)\.?(:[0-9]+)?)"
      R"(|\[(localhost|127\.0\.0\.1|::1|mlos\.example|10\.1\.2\.3)\](:[0-9]+)?)",
      std::regex::icase);
  return std::regex_match(host.begin(), host.end(), ours);
}

// A host that is let through is one of the names there are, and so is an origin's.
void CheckHosts(const wire::RequestHead& head) {
  static const guard::HostPolicy policy({"mlos.example"}, "10.1.2.3");
  if (!policy.Check({head.host, head.origin, head.local_address}).ok()) return;
  if (head.host) MLOS_CHECK(IsOurs(*head.host), "a foreign Host is refused");
  if (!head.origin) return;
  const std::size_t host = head.origin->find("://");
  MLOS_CHECK(host != std::string_view::npos, "an origin has a scheme");
  MLOS_CHECK(IsOurs(head.origin->substr(host + 3)), "a foreign Origin is refused");
}

void CheckSegments(const guard::Target& target) {
  for (const std::string& segment : target.segments) {
    for (const char c : segment) {
      MLOS_CHECK(static_cast<unsigned char>(c) >= 0x20 && c != 0x7f, "a piece is plain text");
    }
  }
}

void FuzzTarget(const wire::RequestHead& head) {
  const auto target = guard::Target::Parse(head.target);
  if (!target.ok()) return;
  CheckSegments(*target);
  for (const std::string_view name : {"include_outputs", "a", ""}) {
    (void)guard::QueryParameter(target->query, name);
  }
  static const http::Router router(http::Dialects());
  const auto match = router.Match(head.verb, *target);
  const std::string allow = router.Allow(*target);
  if (match.ok()) {
    MLOS_CHECK(match->route != nullptr && !allow.empty(), "what matches is allowed");
  } else {
    const bool other_method = match.status().reason() == mlos::Reason::kMethodNotAllowed;
    MLOS_CHECK(other_method != allow.empty(), "a refused method has allowed ones beside it");
  }
}

void FuzzInflate(const wire::RequestHead& head, std::string_view body) {
  const auto coding = wire::ParseCoding(head.content_encoding.value_or("gzip"));
  if (!coding || *coding == wire::ContentCoding::kIdentity) return;
  static mlos::resource::ByteBudget budget(8 << 20);
  const auto inflated = mlos::net::Inflate(*coding, body, kInflatedBytesMax, budget);
  MLOS_CHECK(!inflated.ok() || inflated->size() <= kInflatedBytesMax, "inflating stays bounded");
}

void ReadBody(wire::RequestParser& parser, std::string_view rest) {
  mlos::net::ByteBuffer body;
  parser.ExpectBody(body, kBodyBytesMax);
  while (!parser.done() && !rest.empty()) {
    const auto used = parser.ParseBody(rest);
    if (!used.ok() || *used == 0) break;
    rest.remove_prefix(*used);
  }
  MLOS_CHECK(body.size() <= kBodyBytesMax, "a body stays within its limit");
  if (parser.done()) FuzzInflate(parser.head(), body.view());
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  const guard::HeadLimits limits{.request_line_bytes_max = 256, .bytes_max = 2048};
  const auto length = guard::HeadGuard(limits).Inspect(text);
  const auto slowly = InspectSlowly(limits, text);
  MLOS_CHECK(length.ok() == slowly.ok(), "arrival does not decide what is refused");
  if (!length.ok()) return 0;
  MLOS_CHECK(*length == *slowly, "arrival does not decide where a head ends");
  if (*length == 0) return 0;

  wire::RequestParser parser;
  if (!parser.ParseHead(text.substr(0, *length)).ok()) return 0;
  CheckHosts(parser.head());
  if (parser.head().target != "*") FuzzTarget(parser.head());
  ReadBody(parser, text.substr(*length));
  return 0;
}
