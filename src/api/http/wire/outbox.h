// SPDX-License-Identifier: MIT
#pragma once

#include <array>
#include <boost/asio/buffer.hpp>
#include <cstddef>
#include <cstdint>
#include <string_view>

#include "api/http/wire/message.h"
#include "net/byte_buffer.h"

namespace mlos::api::http::wire {

/// How a caller sees where a body ends.
enum class BodyEnd : std::uint8_t {
  kLength,           ///< it is told the length
  kLastChunk,        ///< the body comes in chunks (RFC 9112, section 7.1)
  kConnectionClose,  ///< what comes in pieces for HTTP/1.0, which has no chunks
};

/// What of a reply depends on the request and the connection.
struct ReplyFraming {
  std::string_view date;   ///< the value of the header
  bool close = false;      ///< the connection ends with this reply
  bool head_only = false;  ///< answers HEAD: the length of the body without the body
  BodyEnd body_end = BodyEnd::kLength;
  std::uint64_t body_bytes = 0;   ///< with kLength
  bool http11 = true;             ///< other callers are told that the connection stays open
  std::string_view header_lines;  ///< as Handler::HeaderLinesFor has them
};

/// Replies on their way out, in order. Heads and small bodies are collected in one piece, so that
/// they leave with one write; a large body, or a large piece of one, is sent from where it is.
/// Thread-compatible.
class Outbox {
 public:
  /// Requires !has_large_body().
  void Add(Reply&& reply, const ReplyFraming& framing);
  /// Sends a piece of a body that comes after its head. Requires !has_large_body() and a piece that
  /// is not empty.
  void AddPiece(net::ByteBuffer piece, BodyEnd body_end);
  /// The same with bytes that stay where they are until they are sent.
  void AddPiece(std::string_view piece, BodyEnd body_end);
  /// Ends such a body.
  void AddEnd(BodyEnd body_end) {
    if (body_end == BodyEnd::kLastChunk) text_.Append("0\r\n\r\n");
  }
  /// The interim answer to `Expect: 100-continue`.
  void AddContinue() { text_.Append("HTTP/1.1 100 Continue\r\n\r\n"); }

  bool empty() const { return size() == 0; }
  std::size_t size() const { return text_.size() + large_.size() + tail_.size() - sent_; }
  bool has_large_body() const { return !large_.empty(); }

  std::array<boost::asio::const_buffer, 3> buffers() const;
  /// Forgets the first `count` bytes of `buffers()`.
  void Consume(std::size_t count);

 private:
  void Own(net::ByteBuffer large);

  net::ByteBuffer text_;
  std::string_view large_;  ///< in `owned_`, or in the care of others
  net::ByteBuffer owned_;
  std::string_view tail_;  ///< ends the chunk that is large_
  std::size_t sent_ = 0;
};

}  // namespace mlos::api::http::wire
