// SPDX-License-Identifier: MIT
#pragma once

#include <google/protobuf/message_lite.h>

#include <cstddef>
#include <cstdint>

#include "net/byte_buffer.h"

// Fields of protobuf's wire format (https://protobuf.dev/programming-guides/encoding/) that are
// written from where their bytes are, without a copy in a message.
namespace mlos::api::grpc::tensors {

/// The bytes a varint takes.
constexpr std::size_t VarintSize(std::uint64_t value) {
  std::size_t size = 1;
  while (value >>= 7) ++size;
  return size;
}

/// The bytes of a field of `size` bytes, with its tag. Fields up to number 15.
constexpr std::size_t FieldSize(std::size_t size) { return 1 + VarintSize(size) + size; }

/// What stands before the bytes of such a field.
inline void AppendFieldHead(net::ByteBuffer& out, std::uint8_t number, std::size_t size) {
  constexpr std::uint8_t kLengthDelimited = 2;
  out.Append(static_cast<char>(number << 3 | kLengthDelimited));
  std::uint64_t rest = size;
  for (; rest >= 0x80; rest >>= 7) out.Append(static_cast<char>(rest | 0x80));
  out.Append(static_cast<char>(rest));
}

/// Appends `message`, serialized.
inline void AppendMessage(net::ByteBuffer& out, const google::protobuf::MessageLite& message) {
  const std::size_t size = message.ByteSizeLong();
  if (char* room = out.Prepare(size)) {
    message.SerializeWithCachedSizesToArray(reinterpret_cast<std::uint8_t*>(room));
    out.Commit(size);
  }
}

}  // namespace mlos::api::grpc::tensors
