// SPDX-License-Identifier: MIT
#pragma once

#include <boost/beast/http/verb.hpp>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "net/body_source.h"
#include "net/byte_buffer.h"

namespace mlos::api::http::wire {

using Verb = boost::beast::http::verb;

/// What the head of a request says that anyone here asks for. Views point into the connection and
/// are valid while the head is looked at; header names match without regard to case.
struct RequestHead {
  Verb verb = Verb::unknown;
  std::string_view target;
  bool http11 = true;
  bool keep_alive = true;
  std::optional<std::string_view> host;
  std::optional<std::string_view> origin;
  /// Of a browser that asks whether a page may send such a request (a preflight of CORS).
  std::optional<std::string_view> preflight_method;  ///< Access-Control-Request-Method
  bool preflight_private_network = false;            ///< Access-Control-Request-Private-Network
  std::optional<std::string_view> expect;
  std::optional<std::string_view> request_timeout;  ///< X-Request-Timeout-Ms
  std::optional<std::string_view> content_encoding;
  std::optional<std::string_view> accept_encoding;
  std::optional<std::string_view> inference_header_length;  ///< Inference-Header-Content-Length
  std::optional<std::uint64_t> content_length;
  bool chunked = false;
  /// The address the connection came in at, as text; empty where the server listens on one only.
  std::string_view local_address;

  bool has_body() const { return chunked || content_length.value_or(0) != 0; }
};

class BodyStream;

/// What is sent back. `content_type` is a constant.
struct Reply {
  unsigned http_status = 200;
  std::string_view content_type = "application/json";
  /// "gzip" or "deflate" where the body is compressed; a constant.
  std::string_view content_encoding;
  /// Bytes of JSON in front of binary tensors (Inference-Header-Content-Length).
  std::optional<std::size_t> inference_header_length;
  /// The methods of a 405 or of an answer to OPTIONS.
  std::string allow;
  /// Further lines of the head, each with its CRLF.
  std::string header_lines;
  /// Asks the caller to come back in a second.
  bool retry_later = false;
  /// Close the connection after it: what follows the head cannot be understood.
  bool close = false;
  net::ByteBuffer body;
  /// Where the body is large instead, and made while it is sent.
  std::unique_ptr<net::BodySource> source;
  /// Where the body comes as its maker gives it (BodyStream::ReaderOf). `body` is empty in both.
  std::shared_ptr<BodyStream> stream;
};

}  // namespace mlos::api::http::wire
