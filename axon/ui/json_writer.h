// SPDX-License-Identifier: MIT
#pragma once

#include <concepts>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

namespace axon::ui {

/// Writes one JSON document, well formed whatever the strings hold (see Printable). Calls must nest
/// as JSON does. Thread-compatible.
class JsonWriter {
 public:
  /// Indented for people, or on one line for streams.
  enum class Style { kIndented, kLine };
  explicit JsonWriter(Style style = Style::kIndented);
  JsonWriter(JsonWriter&&) noexcept;
  JsonWriter& operator=(JsonWriter&&) noexcept;
  ~JsonWriter();

  JsonWriter& BeginObject();
  JsonWriter& EndObject();
  JsonWriter& BeginArray();
  JsonWriter& EndArray();
  JsonWriter& Key(std::string_view key);

  JsonWriter& Value(std::string_view text);
  JsonWriter& Value(const char* text) { return Value(std::string_view(text)); }
  JsonWriter& Value(bool truth);
  JsonWriter& Value(double number);
  JsonWriter& Value(std::integral auto number) {
    if constexpr (std::unsigned_integral<decltype(number)>) {
      return Unsigned(number);
    } else {
      return Signed(number);
    }
  }
  JsonWriter& Null();

  /// A key and its value.
  template <typename T>
  JsonWriter& Field(std::string_view key, const T& value) {
    return Key(key).Value(value);
  }

  /// The document so far.
  std::string_view text() const;

 private:
  JsonWriter& Unsigned(std::uint64_t number);
  JsonWriter& Signed(std::int64_t number);

  struct Rep;
  std::unique_ptr<Rep> rep_;
};

}  // namespace axon::ui
