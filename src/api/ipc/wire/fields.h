// SPDX-License-Identifier: MIT
#pragma once

#include <bit>
#include <cstdint>
#include <cstring>
#include <string>
#include <string_view>

#include "api/ipc/wire/protocol.h"
#include "base/result.h"
#include "net/byte_buffer.h"

namespace mlos::api::ipc::wire {

using net::ByteBuffer;

static_assert(std::endian::native == std::endian::little, "the protocol is read as it lies");

inline Status Malformed(std::string_view what) {
  return {Reason::kMalformedRequest, std::string(what)};
}

constexpr std::uint64_t AlignUp(std::uint64_t size, std::uint64_t alignment) {
  return (size + alignment - 1) / alignment * alignment;
}

/// Reads the fields of a body in their order, never beyond its end. The bytes are private to the
/// reader: what is shared with a client is copied first. Thread-compatible.
class FieldReader {
 public:
  explicit FieldReader(std::string_view body) : body_(body) {}

  template <typename T>
  Result<T> Read() {
    if (left() < sizeof(T)) return TooShort();
    T value;
    std::memcpy(&value, body_.data() + position_, sizeof(T));
    position_ += sizeof(T);
    return value;
  }
  /// `size` bytes and the padding behind them, which must be zeros.
  Result<std::string_view> Text(std::uint64_t size) {
    const std::uint64_t padded = AlignUp(size, kFieldAlignment);
    if (left() < padded) return TooShort();
    const std::string_view all = body_.substr(position_, padded);
    if (all.find_first_not_of('\0', size) != std::string_view::npos) {
      return Status(Reason::kMalformedRequest, "the padding behind a name is not zeros");
    }
    position_ += padded;
    return all.substr(0, size);
  }
  std::uint64_t left() const { return body_.size() - position_; }
  std::uint64_t position() const { return position_; }

 private:
  static Status TooShort() {
    return {Reason::kMalformedRequest, "the frame is shorter than what it announces"};
  }

  const std::string_view body_;
  std::uint64_t position_ = 0;
};

/// Writes the fields of a frame behind a header whose length is filled in at the end.
/// Thread-compatible.
class FieldWriter {
 public:
  explicit FieldWriter(ByteBuffer& out) : out_(out) {}

  template <typename T>
  void Write(T value) {
    out_.Append(std::string_view(reinterpret_cast<const char*>(&value), sizeof(T)));
  }
  void Text(std::string_view text) {
    out_.Append(text);
    Zeros(AlignUp(text.size(), kFieldAlignment) - text.size());
  }
  void Zeros(std::uint64_t count) {
    static constexpr char kZeros[kTensorAlignment] = {};
    out_.Append(std::string_view(kZeros, count));
  }

 private:
  ByteBuffer& out_;
};

}  // namespace mlos::api::ipc::wire
