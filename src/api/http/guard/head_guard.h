// SPDX-License-Identifier: MIT
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

#include "api/http/guard/head_limits.h"
#include "base/result.h"

namespace mlos::api::http::guard {

/// Reads the raw head of a request, line by line as it arrives, before the parser may see it, and
/// refuses whatever two readers of HTTP could understand differently (request smuggling): lines
/// that do not end in CRLF, folded headers, a space before the colon, control characters, repeated
/// or contradicting framing, targets that are no path. It is a guard and not a parser: what it lets
/// through has one meaning, which Beast's parser then finds.
///
/// The rules are those of RFC 9112, sections 2 to 6, with every leniency it permits left out.
/// Thread-compatible.
class HeadGuard {
 public:
  explicit HeadGuard(const HeadLimits& limits) : limits_(&limits) {}

  /// Looks at what was received since the last call. `received` starts with the request line each
  /// time. Returns the length of the head with its empty line, or 0 while there is more to come.
  /// MALFORMED_REQUEST, URI_TOO_LONG, HEADER_TOO_LARGE; the connection cannot be used further.
  Result<std::size_t> Inspect(std::string_view received);

  /// True once a byte of this head was seen.
  bool started() const { return scanned_ != 0; }
  /// The length of a head that Inspect found to be whole.
  std::size_t head_bytes() const { return line_start_; }
  void Reset() { *this = HeadGuard(*limits_); }

 private:
  Status CheckLength(std::size_t length) const;
  Status CheckLine(std::string_view line);
  Status CheckRequestLine(std::string_view line);
  Status CheckHeader(std::string_view line);
  Status CheckKnownHeader(std::string_view name, std::string_view value);
  Status CheckWhole() const;

  const HeadLimits* limits_;
  std::size_t line_start_ = 0;
  std::size_t scanned_ = 0;
  std::size_t line_count_ = 0;
  /// One bit for each header that may come once only.
  std::uint8_t seen_ = 0;
  bool http11_ = false;
};

}  // namespace mlos::api::http::guard
