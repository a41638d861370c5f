// SPDX-License-Identifier: MIT
#pragma once

#include <algorithm>
#include <cstddef>
#include <deque>
#include <string_view>
#include <utility>

#include "net/byte_buffer.h"

namespace mlos::api::grpc::http2 {

/// The bytes of a stream's reply that wait until the caller's window takes them; sent from where
/// they were encoded. Thread-compatible.
class Outgoing {
 public:
  void Add(net::ByteBuffer piece) {
    if (piece.empty()) return;
    size_ += piece.size();
    pieces_.push_back(std::move(piece));
  }
  std::size_t size() const { return size_; }

  /// Moves the first `count` bytes behind the end of `out`. Requires size() >= count.
  void MoveTo(net::ByteBuffer& out, std::size_t count) {
    size_ -= count;
    while (count != 0) {
      net::ByteBuffer& piece = pieces_.front();
      const std::size_t part = std::min(count, piece.size() - sent_);
      out.Append(std::string_view(piece.data() + sent_, part));
      sent_ += part;
      count -= part;
      if (sent_ != piece.size()) return;
      pieces_.pop_front();
      sent_ = 0;
    }
  }

 private:
  std::deque<net::ByteBuffer> pieces_;
  std::size_t size_ = 0;
  std::size_t sent_ = 0;  ///< bytes of the first piece
};

}  // namespace mlos::api::grpc::http2
