// SPDX-License-Identifier: MIT
#pragma once

#include <array>
#include <boost/asio/buffer.hpp>
#include <cstddef>
#include <string_view>

#include "api/http/wire/message.h"
#include "net/byte_buffer.h"

namespace mlos::api::http::wire {

/// What of a reply depends on the request and the connection.
struct ReplyFraming {
  std::string_view date;   ///< the value of the header
  bool close = false;      ///< the connection ends with this reply
  bool head_only = false;  ///< answers HEAD: the length of the body without the body
};

/// Replies on their way out, in order. Heads and small bodies are collected in one piece, so that
/// they leave with one write; a large body is sent from where it was encoded. Thread-compatible.
class Outbox {
 public:
  /// Requires !has_large_body().
  void Add(Reply reply, const ReplyFraming& framing);
  /// The interim answer to `Expect: 100-continue`.
  void AddContinue() { text_.Append("HTTP/1.1 100 Continue\r\n\r\n"); }

  bool empty() const { return size() == 0; }
  std::size_t size() const { return text_.size() + large_.size() - sent_; }
  bool has_large_body() const { return !large_.empty(); }

  std::array<boost::asio::const_buffer, 2> buffers() const;
  /// Forgets the first `count` bytes of `buffers()`.
  void Consume(std::size_t count);

 private:
  net::ByteBuffer text_;
  net::ByteBuffer large_;
  std::size_t sent_ = 0;
};

}  // namespace mlos::api::http::wire
