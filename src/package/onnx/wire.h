// SPDX-License-Identifier: MIT
#pragma once

// Protobuf's wire format, read field by field with libprotobuf's CodedInputStream: no generated
// code, no message in memory. https://protobuf.dev/programming-guides/encoding/

#include <google/protobuf/io/coded_stream.h>

#include <cstdint>
#include <string>
#include <string_view>

#include "base/result.h"
#include "package/onnx/model.h"

namespace mlos::package::onnx {

/// The header of a field: its number, how its value is written, and the byte where it begins.
struct Field {
  int number = 0;
  int wire_type = 0;
  int offset = 0;
};

/// Which singular fields of a message have been read; see WireReader::Once.
using SeenFields = std::uint64_t;

/// A cursor over one serialized message and the messages nested in it. Every failure is
/// INVALID_MODEL with the position of the byte. Thread-compatible.
class WireReader {
 public:
  /// `size_bytes` is what `stream` holds, at most INT_MAX.
  WireReader(google::protobuf::io::ZeroCopyInputStream* stream, int size_bytes);

  /// Calls `on_field(Field)`, which must read or skip the field, for every field of the message.
  template <typename OnField>
  Status Message(const OnField& on_field);

  /// Reads `field` as a nested message.
  template <typename OnField>
  Status Nested(Field field, const OnField& on_field);

  /// Refuses a repeated singular field: parsers merge or replace it, each in its own way, so an
  /// engine might use another value than the checked one.
  Status Once(Field field, SeenFields& seen) const;

  Result<std::uint64_t> Varint(Field field);
  /// A repeated varint, packed or not: `on_value(std::uint64_t)` for each, until it fails.
  template <typename OnValue>
  Status Varints(Field field, const OnValue& on_value);
  /// UTF-8 of at most `bytes_max` bytes.
  Result<std::string> Text(Field field, std::size_t bytes_max);
  /// Skips a field of any kind.
  Status Skip(Field field);
  /// Skips a length-delimited field; its length in bytes.
  Result<int> SkipBytes(Field field);

  /// Bytes read so far.
  int Position() const { return in_.CurrentPosition(); }
  /// Bytes of the current message that have not been read.
  int BytesLeft() const { return in_.BytesUntilLimit(); }
  /// INVALID_MODEL with the current position.
  Status Error(std::string_view problem) const;

 private:
  /// Reads the length of a length-delimited field; it ends within the enclosing message.
  Result<int> Length(Field field);
  /// False at the end of the message.
  Result<bool> NextField(Field& field);
  Status ReadVarint(std::uint64_t& value);

  google::protobuf::io::CodedInputStream in_;
  int depth_ = 0;
};

template <typename OnField>
Status WireReader::Message(const OnField& on_field) {
  Field field;
  while (MLOS_TRY(NextField(field))) MLOS_TRY(on_field(field));
  return OkStatus();
}

template <typename OnField>
Status WireReader::Nested(Field field, const OnField& on_field) {
  const int length = MLOS_TRY(Length(field));
  if (++depth_ >= kMessageDepthMax) return Error("nested too deep");
  const auto limit = in_.PushLimit(length);
  MLOS_TRY(Message(on_field));
  in_.PopLimit(limit);
  --depth_;
  return OkStatus();
}

template <typename OnValue>
Status WireReader::Varints(Field field, const OnValue& on_value) {
  if (field.wire_type == 0) return on_value(MLOS_TRY(Varint(field)));
  const auto limit = in_.PushLimit(MLOS_TRY(Length(field)));
  while (in_.BytesUntilLimit() > 0) {
    std::uint64_t value = 0;
    MLOS_TRY(ReadVarint(value));
    MLOS_TRY(on_value(value));
  }
  in_.PopLimit(limit);
  return OkStatus();
}

}  // namespace mlos::package::onnx
