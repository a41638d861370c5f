// SPDX-License-Identifier: MIT
#pragma once

#include <rapidjson/writer.h>

#include <cstddef>
#include <cstdint>
#include <string_view>

#include "net/byte_buffer.h"

namespace mlos::json {

/// `text` as a JSON string at the end of `out`. JSON is UTF-8 (RFC 8259, section 8.1), so each byte
/// that is not becomes U+FFFD; control characters are escaped.
void AppendString(net::ByteBuffer& out, std::string_view text);

/// The same in steps, for texts that need not be in memory twice. Thread-compatible.
class StringSteps {
 public:
  /// Appends what fits into `room` more bytes, or nothing if that is too little for a character;
  /// true once `text`, which is the same in every step, is complete. Then another may follow.
  bool Append(net::ByteBuffer& out, std::string_view text, std::size_t room);

 private:
  std::size_t done_ = 0;  ///< bytes of the text
  bool begun_ = false;
  bool valid_ = false;  ///< the text is UTF-8
};

/// Writes a document into a ByteBuffer, whose status tells of a lack of memory. RapidJSON keeps
/// track of commas and colons. Thread-compatible.
class JsonWriter {
 public:
  explicit JsonWriter(net::ByteBuffer& out) : out_(out), stream_{&out}, writer_(stream_) {}

  void StartObject() { writer_.StartObject(); }
  void EndObject() { writer_.EndObject(); }
  void StartArray() { writer_.StartArray(); }
  void EndArray() { writer_.EndArray(); }

  void Key(std::string_view name) { AppendString(StartRaw(), name); }
  void Text(std::string_view text) { AppendString(StartRaw(), text); }
  void Integer(std::int64_t number) { writer_.Int64(number); }
  void Count(std::uint64_t number) { writer_.Uint64(number); }
  void Number(double number);
  void Flag(bool flag) { writer_.Bool(flag); }
  void Null() { writer_.Null(); }

  void Text(std::string_view key, std::string_view text) {
    Key(key);
    Text(text);
  }
  void Integer(std::string_view key, std::int64_t number) {
    Key(key);
    Integer(number);
  }
  void Count(std::string_view key, std::uint64_t number) {
    Key(key);
    Count(number);
  }
  void Number(std::string_view key, double number) {
    Key(key);
    Number(number);
  }
  void Flag(std::string_view key, bool flag) {
    Key(key);
    Flag(flag);
  }

  /// Starts a value that the caller appends to the result itself.
  net::ByteBuffer& StartRaw() {
    // An empty raw value makes RapidJSON write the comma or colon before it.
    writer_.RawValue("", 0, rapidjson::kStringType);
    return out_;
  }

 private:
  /// A stream as RapidJSON wants it, names included.
  struct Stream {
    using Ch = char;
    net::ByteBuffer* out;
    void Put(char c) { out->Append(c); }
    void Flush() {}
  };

  net::ByteBuffer& out_;
  Stream stream_;
  rapidjson::Writer<Stream> writer_;
};

}  // namespace mlos::json
