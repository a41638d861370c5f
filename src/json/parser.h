// SPDX-License-Identifier: MIT
#pragma once

#include <simdjson.h>

#include <memory>

#include "base/result.h"
#include "net/byte_buffer.h"

namespace mlos::json {

/// Lends the thread's simdjson parser for one body. A parser's tables are several times as large as
/// the largest body it has seen: they are kept for the next body where they are small, and counted
/// against the budget and freed where they are not. Not movable; thread-compatible.
class ParserLease {
 public:
  ParserLease() = default;
  ParserLease(const ParserLease&) = delete;
  ParserLease& operator=(const ParserLease&) = delete;
  ~ParserLease();

  /// Indexes `body`, which has net::kBodyPaddingBytes behind it. The document and all that is read
  /// from it is valid as long as the lease and the body. MALFORMED_JSON, OVERLOADED,
  /// PAYLOAD_TOO_LARGE, OUT_OF_MEMORY.
  Result<simdjson::ondemand::document> Open(const net::ByteBuffer& body,
                                            resource::ByteBudget& budget) {
    return Open(body, body.size(), budget);
  }
  /// The same for the first `size` bytes of `body`.
  Result<simdjson::ondemand::document> Open(const net::ByteBuffer& body, std::size_t size,
                                            resource::ByteBudget& budget);

 private:
  std::unique_ptr<simdjson::ondemand::parser> parser_;
  resource::Reservation reservation_;
};

/// What `document` is, if it is an object. MALFORMED_JSON.
Result<simdjson::ondemand::object> ObjectOf(simdjson::ondemand::document& document);
/// MALFORMED_JSON if anything follows what has been read of `document`.
Status CheckEnd(simdjson::ondemand::document& document);

/// An upper bound of what simdjson's tables for `text` take.
std::uint64_t ParserBytes(std::string_view text);

}  // namespace mlos::json
