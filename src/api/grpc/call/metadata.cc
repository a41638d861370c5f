// SPDX-License-Identifier: MIT
#include "api/grpc/call/metadata.h"

#include <algorithm>
#include <charconv>
#include <limits>

namespace mlos::api::grpc::call {
namespace {

// Longer messages would meet the limits of clients on headers.
constexpr std::size_t kMessageBytesMax = 2048;
// What HTTP says with Retry-After and IPC with retry_after_ms.
constexpr const char* kRetryAfterMs = "1000";

struct Unit {
  char letter;
  double us;
};

constexpr Unit kUnits[] = {{'H', 3.6e9}, {'M', 6e7}, {'S', 1e6}, {'m', 1e3}, {'u', 1}, {'n', 1e-3}};

}  // namespace

unsigned GrpcCode(const Status& status) {
  if (status.ok()) return 0;
  switch (status.reason()) {
    // As gRPC's own servers answer these.
    case Reason::kPayloadTooLarge:
    case Reason::kHeaderTooLarge:
      return static_cast<unsigned>(StatusCode::kResourceExhausted);
    case Reason::kRouteNotFound:
    case Reason::kUnsupportedEncoding:
      return static_cast<unsigned>(StatusCode::kUnimplemented);
    default:
      return static_cast<unsigned>(status.code());
  }
}

std::vector<http2::Header> TrailersOf(const Status& status) {
  std::vector<http2::Header> trailers;
  trailers.push_back({"grpc-status", std::to_string(GrpcCode(status))});
  if (status.ok()) return trailers;
  trailers.push_back({"grpc-message", PercentEncode(status.message().substr(0, kMessageBytesMax))});
  trailers.push_back({"mlos-reason", std::string(ToString(status.reason()))});
  if (!status.field().empty()) {
    trailers.push_back({"mlos-field", PercentEncode(status.field().substr(0, kMessageBytesMax))});
  }
  if (status.reason() == Reason::kOverloaded) {
    trailers.push_back({"grpc-retry-pushback-ms", kRetryAfterMs});
  }
  if (status.reason() == Reason::kUnsupportedEncoding) {
    trailers.push_back({"grpc-accept-encoding", "identity,gzip"});
  }
  return trailers;
}

std::string PercentEncode(std::string_view text) {
  constexpr std::string_view kDigits = "0123456789ABCDEF";
  std::string out;
  out.reserve(text.size());
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    if (byte >= 0x20 && byte <= 0x7E && c != '%') {
      out += c;
    } else {
      out += '%';
      out += kDigits[byte >> 4];
      out += kDigits[byte & 15];
    }
  }
  return out;
}

// At most eight digits and a unit.
Result<std::chrono::microseconds> ParseTimeout(std::string_view text) {
  const Status invalid =
      Status(Reason::kInvalidField, "the timeout is not up to 8 digits and one of H, M, S, m, u, n")
          .WithField("grpc-timeout");
  if (text.size() < 2 || text.size() > 9) return invalid;
  const std::string_view digits = text.substr(0, text.size() - 1);
  std::uint32_t number = 0;
  const auto parsed = std::from_chars(digits.data(), digits.data() + digits.size(), number);
  const Unit* const unit = std::find_if(std::begin(kUnits), std::end(kUnits),
                                        [&](const Unit& u) { return u.letter == text.back(); });
  if (parsed.ec != std::errc() || parsed.ptr != digits.data() + digits.size() ||
      unit == std::end(kUnits)) {
    return invalid;
  }
  return std::chrono::microseconds(static_cast<std::int64_t>(number * unit->us));
}

bool IsGrpcContentType(std::string_view content_type) {
  constexpr std::string_view kGrpc = "application/grpc";
  if (!content_type.starts_with(kGrpc)) return false;
  const std::string_view rest = content_type.substr(kGrpc.size());
  return rest.empty() || rest.front() == ';' || rest == "+proto" || rest.starts_with("+proto;");
}

}  // namespace mlos::api::grpc::call
