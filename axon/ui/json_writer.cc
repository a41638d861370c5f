// SPDX-License-Identifier: MIT
#include "axon/ui/json_writer.h"

#include <rapidjson/prettywriter.h>
#include <rapidjson/stringbuffer.h>

#include "axon/ui/format.h"

namespace axon::ui {
namespace {

rapidjson::SizeType SizeOf(std::string_view text) {
  return static_cast<rapidjson::SizeType>(text.size());
}

}  // namespace

struct JsonWriter::Rep {
  explicit Rep(Style style) : indented(style == Style::kIndented) { pretty.SetIndent(' ', 2); }

  /// RapidJSON's two writers share names, not a base.
  template <typename Function>
  void Write(Function&& function) {
    if (indented) {
      function(pretty);
    } else {
      function(line);
    }
  }

  bool indented;
  rapidjson::StringBuffer buffer;
  rapidjson::PrettyWriter<rapidjson::StringBuffer> pretty{buffer};
  rapidjson::Writer<rapidjson::StringBuffer> line{buffer};
};

JsonWriter::JsonWriter(Style style) : rep_(std::make_unique<Rep>(style)) {}
JsonWriter::JsonWriter(JsonWriter&&) noexcept = default;
JsonWriter& JsonWriter::operator=(JsonWriter&&) noexcept = default;
JsonWriter::~JsonWriter() = default;

JsonWriter& JsonWriter::BeginObject() {
  rep_->Write([](auto& writer) { writer.StartObject(); });
  return *this;
}
JsonWriter& JsonWriter::EndObject() {
  rep_->Write([](auto& writer) { writer.EndObject(); });
  return *this;
}
JsonWriter& JsonWriter::BeginArray() {
  rep_->Write([](auto& writer) { writer.StartArray(); });
  return *this;
}
JsonWriter& JsonWriter::EndArray() {
  rep_->Write([](auto& writer) { writer.EndArray(); });
  return *this;
}
JsonWriter& JsonWriter::Key(std::string_view key) {
  rep_->Write([&](auto& writer) { writer.Key(key.data(), SizeOf(key)); });
  return *this;
}
JsonWriter& JsonWriter::Value(std::string_view text) {
  const std::string shown = Printable(text);
  rep_->Write([&](auto& writer) { writer.String(shown.data(), SizeOf(shown)); });
  return *this;
}
JsonWriter& JsonWriter::Value(bool truth) {
  rep_->Write([&](auto& writer) { writer.Bool(truth); });
  return *this;
}
JsonWriter& JsonWriter::Value(double number) {
  rep_->Write([&](auto& writer) { writer.Double(number); });
  return *this;
}
JsonWriter& JsonWriter::Unsigned(std::uint64_t number) {
  rep_->Write([&](auto& writer) { writer.Uint64(number); });
  return *this;
}
JsonWriter& JsonWriter::Signed(std::int64_t number) {
  rep_->Write([&](auto& writer) { writer.Int64(number); });
  return *this;
}
JsonWriter& JsonWriter::Null() {
  rep_->Write([](auto& writer) { writer.Null(); });
  return *this;
}

std::string_view JsonWriter::text() const {
  return {rep_->buffer.GetString(), rep_->buffer.GetSize()};
}

}  // namespace axon::ui
