// SPDX-License-Identifier: MIT
#pragma once

#include <algorithm>
#include <cstddef>
#include <deque>
#include <memory>
#include <string_view>
#include <utility>

#include "net/body_source.h"
#include "net/byte_buffer.h"

namespace mlos::api::grpc::http2 {

/// The bytes of a stream's reply that wait until the caller's window takes them; sent from where
/// they are. Thread-compatible.
class Outgoing {
 public:
  void Add(net::ByteBuffer piece) {
    if (piece.empty()) return;
    size_ += piece.size();
    pieces_.push_back({std::move(piece), nullptr});
  }
  /// The same with bytes that are made as they are sent. Requires that their length is known.
  void Add(std::unique_ptr<net::BodySource> source) {
    size_ += *source->length();
    pieces_.push_back({{}, std::move(source)});
  }
  std::size_t size() const { return size_; }

  /// Moves the first `count` bytes behind the end of `out`. Requires size() >= count.
  void MoveTo(net::ByteBuffer& out, std::size_t count) {
    size_ -= count;
    while (count != 0) {
      if (rest_.empty()) GoOn();
      const std::string_view part = rest_.substr(0, count);
      out.Append(part);
      rest_.remove_prefix(part.size());
      count -= part.size();
    }
    // Whoever takes the last byte has no more use for what it came from.
    if (size_ == 0) pieces_.clear();
    if (size_ == 0) begun_ = false;
  }

 private:
  struct Piece {
    net::ByteBuffer bytes;
    std::unique_ptr<net::BodySource> source;
  };

  /// Finds the next bytes, of which there are some.
  void GoOn() {
    while (rest_.empty()) {
      Piece& piece = pieces_.front();
      const bool first = !std::exchange(begun_, true);
      if (piece.source != nullptr) {
        rest_ = piece.source->Next();
      } else if (first) {
        rest_ = piece.bytes.view();
      }
      if (!rest_.empty()) return;
      pieces_.pop_front();
      begun_ = false;
    }
  }

  std::deque<Piece> pieces_;
  std::size_t size_ = 0;
  bool begun_ = false;     ///< bytes of the first piece were given
  std::string_view rest_;  ///< of those
};

}  // namespace mlos::api::grpc::http2
