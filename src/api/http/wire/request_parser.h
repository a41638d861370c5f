// SPDX-License-Identifier: MIT
#pragma once

#include <boost/beast/http/basic_parser.hpp>
#include <cstdint>
#include <string>
#include <string_view>

#include "api/http/wire/message.h"
#include "base/result.h"

namespace mlos::api::http::wire {

/// Beast's HTTP/1 parser over our own memory: the head becomes a RequestHead of views, the body
/// goes into a net::ByteBuffer as it arrives, and no field is stored. One object reads one request,
/// whose head a HeadGuard has let through. Thread-compatible.
class RequestParser : private boost::beast::http::basic_parser<true> {
 public:
  RequestParser();

  /// Parses a whole head, to which the views of `head()` point afterwards. MALFORMED_REQUEST.
  Status ParseHead(std::string_view text);
  RequestHead& head() { return head_; }

  /// Where the body goes and how long it may be.
  void ExpectBody(net::ByteBuffer& body, std::uint64_t bytes_max);
  /// Takes what it can use of `text`, whose rest has to be offered again with what follows. Bytes
  /// that lie at the end of the body buffer already are not copied. MALFORMED_REQUEST,
  /// PAYLOAD_TOO_LARGE, or why the body buffer could not grow.
  Result<std::size_t> ParseBody(std::string_view text);
  /// Bytes of a body with Content-Length that are still to come.
  std::uint64_t remaining_bytes() const { return content_length_remaining().value_or(0); }

  /// True once the request is whole.
  bool done() const { return is_done(); }

 private:
  using ErrorCode = boost::beast::error_code;
  using Text = boost::beast::string_view;

  Status Outcome(const ErrorCode& error);
  void Fail(Status status, ErrorCode& error);
  void AppendBody(Text text, ErrorCode& error);
  void OnUnknownField(Text name, Text value, ErrorCode& error);

  void on_request_impl(Verb method, Text method_text, Text target, int version,
                       ErrorCode& error) override;
  void on_response_impl(int, Text, int, ErrorCode&) override {}
  void on_field_impl(boost::beast::http::field name, Text name_text, Text value,
                     ErrorCode& error) override;
  void on_header_impl(ErrorCode& error) override;
  void on_body_init_impl(const boost::optional<std::uint64_t>&, ErrorCode&) override {}
  std::size_t on_body_impl(Text text, ErrorCode& error) override;
  void on_chunk_header_impl(std::uint64_t size, Text extensions, ErrorCode& error) override;
  std::size_t on_chunk_body_impl(std::uint64_t remain, Text text, ErrorCode& error) override;
  void on_finish_impl(ErrorCode&) override {}

  RequestHead head_;
  bool keep_alive_said_ = false;
  bool close_said_ = false;
  net::ByteBuffer* body_ = nullptr;
  std::uint64_t body_bytes_max_ = 0;
  std::uint64_t chunk_count_ = 0;
  std::size_t chunk_extension_bytes_ = 0;
  /// Why a callback stopped the parser.
  Status failure_;
};

}  // namespace mlos::api::http::wire
