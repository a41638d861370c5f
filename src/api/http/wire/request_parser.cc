// SPDX-License-Identifier: MIT
#include "api/http/wire/request_parser.h"

#include <boost/asio/buffer.hpp>
#include <boost/beast/http/rfc7230.hpp>
#include <utility>

#include "api/http/guard/text.h"

namespace mlos::api::http::wire {
namespace {

namespace beast = boost::beast;

// A body in chunks may have this many, and one more for each so many bytes. Every chunk costs work
// and memory traffic beyond its bytes, so half a million one-byte chunks are an attack.
constexpr std::uint64_t kChunksFree = 16 << 10;
constexpr std::uint64_t kBytesPerChunkMin = 32;
constexpr std::size_t kChunkExtensionBytesMax = 1 << 10;

Status Malformed(std::string_view what) { return {Reason::kMalformedRequest, std::string(what)}; }

bool HasBareLf(std::string_view text) {
  for (std::size_t lf = text.find('\n'); lf != std::string_view::npos;
       lf = text.find('\n', lf + 1)) {
    if (lf == 0 || text[lf - 1] != '\r') return true;
  }
  return false;
}

}  // namespace

RequestParser::RequestParser() {
  // The guard has limited the head, and on_body_impl limits the body.
  header_limit(UINT32_MAX);
  body_limit(boost::none);
  eager(true);
}

Status RequestParser::ParseHead(std::string_view text) {
  // Not eager: a body that came along is not ours to place yet.
  eager(false);
  ErrorCode error;
  put(boost::asio::const_buffer(text.data(), text.size()), error);
  eager(true);
  if (!error && !is_header_done()) error = beast::http::error::partial_message;
  return Outcome(error);
}

void RequestParser::ExpectBody(net::ByteBuffer& body, std::uint64_t bytes_max) {
  body_ = &body;
  body_bytes_max_ = bytes_max;
}

Result<std::size_t> RequestParser::ParseBody(std::string_view text) {
  ErrorCode error;
  const std::size_t used = put(boost::asio::const_buffer(text.data(), text.size()), error);
  if (error == beast::http::error::need_more) error = {};
  MLOS_TRY(Outcome(error));
  // Beast looks for CRLF and would wait for it; others end a chunk header here.
  if (head_.chunked && HasBareLf(text.substr(used))) {
    return Malformed("a line between chunks does not end in CRLF");
  }
  return used;
}

Status RequestParser::Outcome(const ErrorCode& error) {
  if (!failure_.ok()) return std::exchange(failure_, {});
  if (!error) return OkStatus();
  return is_header_done() ? Malformed("the chunks of the body are not well formed")
                          : Malformed("the head of the request is not well formed");
}

void RequestParser::Fail(Status status, ErrorCode& error) {
  failure_ = std::move(status);
  error = beast::http::error::bad_value;
}

void RequestParser::on_request_impl(Verb method, Text, Text target, int version, ErrorCode&) {
  head_.verb = method;
  head_.target = target;
  head_.http11 = version == 11;
}

void RequestParser::on_field_impl(beast::http::field name, Text name_text, Text value,
                                  ErrorCode& error) {
  using beast::http::field;
  if (body_ != nullptr) {
    // Proxies disagree on what trailers may override, and nothing here needs them.
    Fail(Malformed("trailers after the last chunk are not supported"), error);
  } else if (name == field::host) {
    head_.host = value;
  } else if (name == field::connection) {
    beast::http::token_list options(value);
    keep_alive_said_ = keep_alive_said_ || options.exists("keep-alive");
    close_said_ = close_said_ || options.exists("close");
  } else if (name == field::origin) {
    head_.origin = value;
  } else if (name == field::access_control_request_method) {
    head_.preflight_method = value;
  } else if (name == field::expect) {
    head_.expect = value;
  } else if (name == field::content_encoding) {
    head_.content_encoding = value;
  } else if (name == field::accept_encoding) {
    head_.accept_encoding = value;
  } else if (name == field::unknown) {
    OnUnknownField(name_text, value, error);
  }
}

void RequestParser::OnUnknownField(Text name, Text value, ErrorCode& error) {
  if (guard::EqualsIgnoreCase(name, "x-request-timeout-ms")) {
    head_.request_timeout = value;
  } else if (guard::EqualsIgnoreCase(name, "inference-header-content-length")) {
    // Two of them would let the same bytes be read in two ways.
    if (head_.inference_header_length) {
      Fail(Malformed("the header Inference-Header-Content-Length is there twice"), error);
    }
    head_.inference_header_length = value;
  } else if (guard::EqualsIgnoreCase(name, "access-control-request-private-network")) {
    head_.preflight_private_network = value == "true";
  }
}

void RequestParser::on_header_impl(ErrorCode&) {
  // Beast goes by Proxy-Connection too, which is not for us.
  head_.keep_alive = head_.http11 ? keep_alive() : keep_alive_said_ && !close_said_;
  head_.chunked = chunked();
  if (const auto length = content_length()) head_.content_length = *length;
}

std::size_t RequestParser::on_body_impl(Text text, ErrorCode& error) {
  AppendBody(text, error);
  return text.size();
}

void RequestParser::on_chunk_header_impl(std::uint64_t, Text extensions, ErrorCode& error) {
  chunk_extension_bytes_ += extensions.size();
  if (chunk_extension_bytes_ > kChunkExtensionBytesMax) {
    Fail(Malformed("the chunk extensions are longer than 1024 bytes"), error);
  } else if (++chunk_count_ > kChunksFree + body_->size() / kBytesPerChunkMin) {
    Fail(Malformed("the body comes in too many small chunks; send 32 bytes or more in each"),
         error);
  }
}

std::size_t RequestParser::on_chunk_body_impl(std::uint64_t, Text text, ErrorCode& error) {
  AppendBody(text, error);
  return text.size();
}

void RequestParser::AppendBody(Text text, ErrorCode& error) {
  if (text.size() > body_bytes_max_ - body_->size()) {
    Fail({Reason::kPayloadTooLarge,
          "the body is longer than the " + std::to_string(body_bytes_max_) + " bytes allowed"},
         error);
    return;
  }
  const bool in_place = text.data() == body_->data() + body_->size() &&
                        text.size() <= body_->capacity() - body_->size();
  if (in_place) {
    body_->Commit(text.size());
  } else {
    body_->Append(text);
  }
  if (!body_->status().ok()) Fail(body_->status(), error);
}

}  // namespace mlos::api::http::wire
