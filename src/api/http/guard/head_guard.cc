// SPDX-License-Identifier: MIT
#include "api/http/guard/head_guard.h"

#include <algorithm>
#include <array>
#include <string>

#include "api/http/guard/text.h"
#include "base/text.h"

namespace mlos::api::http::guard {
namespace {

struct SingleHeader {
  std::string_view name;
  std::uint8_t bit;
};

constexpr std::uint8_t kContentLength = 1;
constexpr std::uint8_t kTransferEncoding = 2;
constexpr std::uint8_t kHost = 4;

// Headers whose repetition is read differently by different servers.
constexpr std::array<SingleHeader, 8> kSingleHeaders = {{{"content-length", kContentLength},
                                                         {"transfer-encoding", kTransferEncoding},
                                                         {"host", kHost},
                                                         {"content-encoding", 8},
                                                         {"origin", 16},
                                                         {"expect", 32},
                                                         {"x-request-timeout-ms", 64},
                                                         {"content-type", 128}}};

// More digits than any length that fits 63 bits has.
constexpr std::size_t kLengthDigitsMax = 18;

Status Malformed(std::string_view what) { return {Reason::kMalformedRequest, std::string(what)}; }

bool IsVisible(char c) { return c > ' ' && c < 0x7f; }

// RFC 9110, section 5.5: visible characters, obs-text, space and tab.
bool IsFieldContent(char c) {
  const auto byte = static_cast<unsigned char>(c);
  return byte >= ' ' ? byte != 0x7f : byte == '\t';
}

}  // namespace

Result<std::size_t> HeadGuard::Inspect(std::string_view received) {
  while (true) {
    const std::size_t end = received.find('\n', scanned_);
    if (end == std::string_view::npos) {
      scanned_ = received.size();
      MLOS_TRY(CheckLength(received.size()));
      return std::size_t{0};
    }
    if (end == line_start_ || received[end - 1] != '\r') {
      return Malformed("a line of the head does not end in CRLF");
    }
    const std::string_view line = received.substr(line_start_, end - 1 - line_start_);
    MLOS_TRY(CheckLength(end + 1));
    scanned_ = line_start_ = end + 1;
    if (line.empty()) {
      MLOS_TRY(CheckWhole());
      return line_start_;
    }
    MLOS_TRY(CheckLine(line));
  }
}

Status HeadGuard::CheckLength(std::size_t length) const {
  if (line_count_ == 0 && length > limits_->request_line_bytes_max) {
    return {Reason::kUriTooLong, "the request line is longer than " +
                                     std::to_string(limits_->request_line_bytes_max) + " bytes"};
  }
  if (length > limits_->bytes_max) {
    return {Reason::kHeaderTooLarge, "the head of the request is longer than " +
                                         std::to_string(limits_->bytes_max) + " bytes"};
  }
  return OkStatus();
}

Status HeadGuard::CheckLine(std::string_view line) {
  if (++line_count_ == 1) return CheckRequestLine(line);
  if (line_count_ - 1 > limits_->count_max) {
    return {Reason::kHeaderTooLarge,
            "the request has more than " + std::to_string(limits_->count_max) + " headers"};
  }
  return CheckHeader(line);
}

Status HeadGuard::CheckRequestLine(std::string_view line) {
  const std::size_t first = line.find(' ');
  const std::size_t last = line.rfind(' ');
  if (first == std::string_view::npos || first == last) {
    return Malformed("the request line is not \"METHOD TARGET HTTP/1.1\"");
  }
  const std::string_view method = line.substr(0, first);
  const std::string_view target = line.substr(first + 1, last - first - 1);
  const std::string_view version = line.substr(last + 1);
  http11_ = version == "HTTP/1.1";
  if (!http11_ && version != "HTTP/1.0")
    return Malformed("the version is not HTTP/1.1 or HTTP/1.0");
  if (!IsToken(method)) return Malformed("the method is not a token");
  if (!std::all_of(target.begin(), target.end(), IsVisible)) {
    return Malformed("the target has characters that must be percent-encoded");
  }
  const bool any_resource = target == "*" && method == "OPTIONS";
  if (!target.starts_with('/') && !any_resource) {
    return Malformed("the target does not start with '/'");
  }
  return OkStatus();
}

Status HeadGuard::CheckHeader(std::string_view line) {
  if (line.front() == ' ' || line.front() == '\t') return Malformed("a header is folded");
  const std::size_t colon = line.find(':');
  if (colon == std::string_view::npos) return Malformed("a header has no colon");
  const std::string_view name = line.substr(0, colon);
  if (!IsToken(name)) return Malformed("a header name is not a token");
  const std::string_view value = line.substr(colon + 1);
  if (!IsPlain(value) && !std::all_of(value.begin(), value.end(), IsFieldContent)) {
    return Malformed("a header value has control characters");
  }
  return CheckKnownHeader(name, TrimBlanks(value));
}

Status HeadGuard::CheckKnownHeader(std::string_view name, std::string_view value) {
  for (const SingleHeader& single : kSingleHeaders) {
    if (!EqualsIgnoreCase(name, single.name)) continue;
    if ((seen_ & single.bit) != 0) {
      return Malformed("the header " + std::string(single.name) + " is there twice");
    }
    seen_ |= single.bit;
    if (single.bit == kContentLength && (!IsNumber(value) || value.size() > kLengthDigitsMax)) {
      return Malformed("Content-Length is not a number of bytes");
    }
    if (single.bit == kTransferEncoding && !EqualsIgnoreCase(value, "chunked")) {
      return Malformed("Transfer-Encoding is not \"chunked\"");
    }
    break;
  }
  return OkStatus();
}

Status HeadGuard::CheckWhole() const {
  if (line_count_ == 0) return Malformed("there is no request line");
  if ((seen_ & kContentLength) != 0 && (seen_ & kTransferEncoding) != 0) {
    return Malformed("both Content-Length and Transfer-Encoding are given");
  }
  if ((seen_ & kTransferEncoding) != 0 && !http11_) {
    return Malformed("HTTP/1.0 has no Transfer-Encoding");
  }
  if (http11_ && (seen_ & kHost) == 0) return Malformed("the header Host is missing");
  return OkStatus();
}

}  // namespace mlos::api::http::guard
