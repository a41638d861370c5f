// SPDX-License-Identifier: MIT
// The guard reads a head the same way whole and byte by byte, and the parser understands every head
// that the guard lets through, or refuses it; its body never exceeds the limit.
#include <cstdint>
#include <string_view>

#include "api/http/guard/head_guard.h"
#include "api/http/wire/request_parser.h"
#include "base/check.h"
#include "net/byte_buffer.h"

namespace {

namespace guard = mlos::api::http::guard;
namespace wire = mlos::api::http::wire;

constexpr std::uint64_t kBodyBytesMax = 1024;

// The length of the head, 0 where it has no end yet, or a refusal, with the bytes arriving singly.
mlos::Result<std::size_t> InspectSlowly(const guard::HeadLimits& limits, std::string_view text) {
  guard::HeadGuard guard(limits);
  for (std::size_t size = 1; size <= text.size(); ++size) {
    auto length = guard.Inspect(text.substr(0, size));
    if (!length.ok() || *length != 0) return length;
  }
  return std::size_t{0};
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
  if (parser.ParseHead(text.substr(0, *length)).ok()) ReadBody(parser, text.substr(*length));
  return 0;
}
