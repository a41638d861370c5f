// SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>
#include <optional>
#include <utility>

#include "api/http/guard/head_guard.h"
#include "api/http/wire/request_parser.h"
#include "net/byte_buffer.h"

namespace mlos::api::http::wire {

/// The requests of one connection, one after the other, out of the bytes that come in. It has no
/// socket: its owner asks for room, receives into it, and tells how much has come.
///
///     ┌─► head ──ReadHead: true──► ExpectBody, EndHead ──► body ──whole──► FinishBody, TakeBody ─┐
///     └──────────────────────────────────────────Next─────────────────────────────────────────┘
///
/// Bytes of later requests that come along are kept. After a failure nothing more can be read.
/// Thread-compatible.
class RequestReader {
 public:
  /// Both outlive it.
  RequestReader(const guard::HeadLimits& limits, resource::ByteBudget& budget)
      : budget_(budget), guard_(limits), received_(budget) {}

  /// Where bytes go that are to come. Without memory `at` is null and `status` tells why.
  struct Room {
    char* at = nullptr;
    std::size_t size = 0;
    bool in_place = false;  ///< part of the body: nothing will be copied
  };
  /// The room stays in place until Commit. The two never overlap.
  Room RoomForHead();
  Room RoomForBody();
  /// `count` bytes have come into the last room. Fails as ReadBody does.
  Status Commit(std::size_t count);
  const Status& status() const { return into_->status(); }

  /// A byte of the head has been seen.
  bool started() const { return guard_.started(); }
  /// True once the head is whole; false while there is more to come. MALFORMED_REQUEST,
  /// URI_TOO_LONG, HEADER_TOO_LARGE.
  Result<bool> ReadHead();
  RequestHead& head() { return parser_->head(); }
  /// Drops the bytes of the head, to which its views point.
  void EndHead() { received_.Consume(guard_.head_bytes()); }

  /// Says how long the body may be, and how many blanks come in front of it.
  void ExpectBody(std::size_t lead_bytes, std::uint64_t bytes_max);
  /// Takes what has come of the body. MALFORMED_REQUEST, PAYLOAD_TOO_LARGE, or why there is no
  /// memory for it.
  Status ReadBody();
  std::size_t body_bytes() const { return body_.size(); }
  /// True once the request is whole.
  bool whole() const { return parser_->done(); }
  /// Pads the body with net::kBodyPaddingBytes. Fails if there is no memory for them.
  Status FinishBody();
  net::ByteBuffer TakeBody() { return std::move(body_); }

  /// Goes on to the next request.
  void Next();
  /// What has come and not been taken.
  net::ByteBuffer& received() { return received_; }

 private:
  resource::ByteBudget& budget_;
  guard::HeadGuard guard_;
  std::optional<RequestParser> parser_;
  net::ByteBuffer received_;
  net::ByteBuffer body_;
  std::size_t body_bytes_before_ = 0;  ///< of the request before
  net::ByteBuffer* into_ = nullptr;    ///< where the last room is, until Commit
};

}  // namespace mlos::api::http::wire
