// SPDX-License-Identifier: MIT
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string_view>
#include <utility>

#include "base/result.h"
#include "net/byte_buffer.h"

namespace mlos::api::grpc::call {

/// What stands before each message
/// (https://github.com/grpc/grpc/blob/master/doc/PROTOCOL-HTTP2.md): a flag and a length.
inline constexpr std::size_t kPrefixBytes = 5;

/// Writes the prefix of a message of `size` bytes to `out`, which has room for it.
void WritePrefix(char* out, bool compressed, std::uint32_t size);

/// One message of a request as it came.
struct Message {
  net::ByteBuffer bytes;
  bool compressed = false;
};

/// Takes the bytes of a request apart into messages. Memory is taken as bytes arrive, never for a
/// length that was only announced. Thread-compatible.
class MessageReader {
 public:
  /// Messages are counted against `budget`, which must outlive them.
  MessageReader(resource::ByteBudget& budget, std::uint64_t bytes_max)
      : budget_(budget), bytes_max_(bytes_max) {}

  /// Takes bytes off the front of `data`; true once a message is whole, for TakeMessage.
  /// PAYLOAD_TOO_LARGE, MALFORMED_REQUEST, OVERLOADED.
  Result<bool> Read(std::string_view& data);
  Message TakeMessage() { return std::exchange(message_, {}); }
  /// True where a message has begun and is not whole.
  bool in_message() const { return prefix_size_ != 0; }

 private:
  Status Begin();

  resource::ByteBudget& budget_;
  const std::uint64_t bytes_max_;
  std::array<char, kPrefixBytes> prefix_{};
  std::size_t prefix_size_ = 0;
  std::size_t message_size_ = 0;
  Message message_;
};

}  // namespace mlos::api::grpc::call
