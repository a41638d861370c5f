// SPDX-License-Identifier: MIT
#include "api/http/wire/outbox.h"

#include <algorithm>
#include <boost/beast/http/status.hpp>
#include <charconv>
#include <utility>

namespace mlos::api::http::wire {
namespace {

// Below this, copying a body is cheaper than a second piece in the write.
constexpr std::size_t kLargeBodyBytes = 16 << 10;
// An outbox keeps this much memory between replies.
constexpr std::size_t kKeptBytesMax = 64 << 10;
constexpr std::string_view kLineEnd = "\r\n";

void AppendNumber(net::ByteBuffer& out, std::size_t number, int base = 10) {
  char digits[20];
  const auto end = std::to_chars(digits, digits + sizeof(digits), number, base);
  out.Append(std::string_view(digits, static_cast<std::size_t>(end.ptr - digits)));
}

void AppendStatusLine(net::ByteBuffer& out, unsigned http_status) {
  if (http_status == 200) {
    out.Append("HTTP/1.1 200 OK\r\n");
    return;
  }
  out.Append("HTTP/1.1 ");
  AppendNumber(out, http_status);
  out.Append(' ');
  out.Append(
      boost::beast::http::obsolete_reason(static_cast<boost::beast::http::status>(http_status)));
  out.Append("\r\n");
}

void AppendHead(net::ByteBuffer& out, const Reply& reply, const ReplyFraming& framing) {
  AppendStatusLine(out, reply.http_status);
  out.Append("Server: MLOS-Core\r\nDate: ");
  out.Append(framing.date);
  if (framing.body_bytes != 0 || framing.body_end != BodyEnd::kLength) {
    out.Append("\r\nContent-Type: ");
    out.Append(reply.content_type);
  }
  if (!reply.content_encoding.empty()) {
    out.Append("\r\nContent-Encoding: ");
    out.Append(reply.content_encoding);
  }
  if (reply.inference_header_length) {
    out.Append("\r\nInference-Header-Content-Length: ");
    AppendNumber(out, *reply.inference_header_length);
  }
  // A 204 has no body, and says so by its status (RFC 9110, section 8.6).
  if (framing.body_end == BodyEnd::kLastChunk) {
    out.Append("\r\nTransfer-Encoding: chunked");
  } else if (framing.body_end == BodyEnd::kLength && reply.http_status != 204) {
    out.Append("\r\nContent-Length: ");
    AppendNumber(out, framing.body_bytes);
  }
  if (!reply.allow.empty()) {
    out.Append("\r\nAllow: ");
    out.Append(reply.allow);
  }
  if (reply.retry_later) out.Append("\r\nRetry-After: 1");
  if (framing.close) {
    out.Append("\r\nConnection: close");
  } else if (!framing.http11) {
    out.Append("\r\nConnection: keep-alive");
  }
  out.Append(kLineEnd);
  out.Append(framing.header_lines);
  out.Append(reply.header_lines);
  out.Append(kLineEnd);
}

}  // namespace

void Outbox::Add(Reply&& reply, const ReplyFraming& framing) {
  AppendHead(text_, reply, framing);
  if (framing.head_only) return;
  if (reply.body.size() < kLargeBodyBytes) {
    text_.Append(reply.body.view());
  } else {
    Own(std::move(reply.body));
  }
}

void Outbox::Own(net::ByteBuffer large) {
  owned_ = std::move(large);
  large_ = owned_.view();
}

void Outbox::AddPiece(net::ByteBuffer piece, BodyEnd body_end) {
  AddPiece(piece.view(), body_end);
  if (has_large_body()) Own(std::move(piece));
}

void Outbox::AddPiece(std::string_view piece, BodyEnd body_end) {
  const bool chunked = body_end == BodyEnd::kLastChunk;
  if (chunked) {
    AppendNumber(text_, piece.size(), 16);
    text_.Append(kLineEnd);
  }
  if (piece.size() < kLargeBodyBytes) {
    text_.Append(piece);
    if (chunked) text_.Append(kLineEnd);
  } else {
    large_ = piece;
    if (chunked) tail_ = kLineEnd;
  }
}

std::array<boost::asio::const_buffer, 3> Outbox::buffers() const {
  std::size_t sent = sent_;
  const auto rest_of = [&](std::string_view part) {
    const std::size_t of_part = std::min(sent, part.size());
    sent -= of_part;
    return boost::asio::const_buffer(part.data() + of_part, part.size() - of_part);
  };
  return {rest_of(text_.view()), rest_of(large_), rest_of(tail_)};
}

void Outbox::Consume(std::size_t count) {
  sent_ += count;
  if (!empty()) return;
  sent_ = 0;
  large_ = {};
  owned_ = net::ByteBuffer();
  tail_ = {};
  if (text_.capacity() > kKeptBytesMax) text_ = net::ByteBuffer();
  text_.Clear();
}

}  // namespace mlos::api::http::wire
