// SPDX-License-Identifier: MIT
#include "package/onnx/wire.h"

#include "base/text.h"

namespace mlos::package::onnx {
namespace {

constexpr int kVarint = 0;
constexpr int kFixed64 = 1;
constexpr int kLengthDelimited = 2;
constexpr int kFixed32 = 5;

}  // namespace

WireReader::WireReader(google::protobuf::io::ZeroCopyInputStream* stream, int size_bytes)
    : in_(stream) {
  in_.PushLimit(size_bytes);
}

Status WireReader::Error(std::string_view problem) const {
  return {Reason::kInvalidModel, "not a valid ONNX file: " + std::string(problem) + " at byte " +
                                     std::to_string(in_.CurrentPosition())};
}

Status WireReader::Once(Field field, SeenFields& seen) const {
  const std::uint64_t bit = std::uint64_t{1} << (static_cast<unsigned>(field.number) & 63u);
  if ((seen & bit) != 0) {
    return Error("field " + std::to_string(field.number) + " of a message is there twice");
  }
  seen |= bit;
  return OkStatus();
}

Result<bool> WireReader::NextField(Field& field) {
  const int offset = in_.CurrentPosition();
  const std::uint32_t tag = in_.ReadTag();
  if (tag == 0) {
    if (!in_.ConsumedEntireMessage() || in_.BytesUntilLimit() > 0)
      return Error("the message is cut off or malformed");
    return false;
  }
  field = {static_cast<int>(tag >> 3), static_cast<int>(tag & 7), offset};
  if (field.number == 0) return Error("a field has no number");
  return true;
}

Status WireReader::ReadVarint(std::uint64_t& value) {
  return in_.ReadVarint64(&value) ? OkStatus() : Error("a number is cut off or malformed");
}

Result<std::uint64_t> WireReader::Varint(Field field) {
  if (field.wire_type != kVarint) {
    return Error("field " + std::to_string(field.number) + " should be a number");
  }
  std::uint64_t value = 0;
  MLOS_TRY(ReadVarint(value));
  return value;
}

Result<int> WireReader::Length(Field field) {
  if (field.wire_type != kLengthDelimited) {
    return Error("field " + std::to_string(field.number) + " should have a length");
  }
  std::uint64_t length = 0;
  MLOS_TRY(ReadVarint(length));
  if (length > static_cast<std::uint64_t>(in_.BytesUntilLimit())) {
    return Error("field " + std::to_string(field.number) + " is longer than what is left");
  }
  return static_cast<int>(length);
}

Result<std::string> WireReader::Text(Field field, std::size_t bytes_max) {
  const int length = MLOS_TRY(Length(field));
  if (static_cast<std::size_t>(length) > bytes_max) {
    return Error("a name is longer than " + std::to_string(bytes_max) + " bytes");
  }
  std::string text;
  if (!in_.ReadString(&text, length)) return Error("a name is cut off");
  if (!IsValidUtf8(text)) return Error("a name is not UTF-8");
  return text;
}

Result<int> WireReader::SkipBytes(Field field) {
  const int length = MLOS_TRY(Length(field));
  if (!in_.Skip(length)) return Error("the file is cut off");
  return length;
}

Status WireReader::Skip(Field field) {
  switch (field.wire_type) {
    case kVarint: {
      std::uint64_t ignored = 0;
      return ReadVarint(ignored);
    }
    case kFixed64:
      return in_.Skip(8) ? OkStatus() : Error("the file is cut off");
    case kLengthDelimited:
      MLOS_TRY(SkipBytes(field));
      return OkStatus();
    case kFixed32:
      return in_.Skip(4) ? OkStatus() : Error("the file is cut off");
    default:
      return Error("field " + std::to_string(field.number) + " has the unknown wire type " +
                   std::to_string(field.wire_type));
  }
}

}  // namespace mlos::package::onnx
