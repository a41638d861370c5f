// SPDX-License-Identifier: MIT
#pragma once

#include <simdjson.h>

#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "net/byte_buffer.h"

namespace mlos::json {

/// A JSON object sent to be acted upon, such as a registration: parsed and checked as a whole,
/// members that nobody asks for included. Members the caller does not know are ignored, so that
/// clients may be newer than this server. Thread-compatible.
class Document {
 public:
  /// `body` has net::kBodyPaddingBytes behind it. MALFORMED_JSON, NESTING_TOO_DEEP, and
  /// INVALID_FIELD where a member is there twice.
  static Result<Document> Parse(const net::ByteBuffer& body);

  /// The string `name`; empty where it is missing or null. INVALID_FIELD for another type.
  Result<std::string> Text(std::string_view name) const;
  /// The boolean `name`, or `otherwise`. INVALID_FIELD for another type.
  Result<bool> Flag(std::string_view name, bool otherwise) const;
  /// The members of the object `name`; none where it is missing or null. INVALID_FIELD for another
  /// type.
  Result<std::vector<std::string>> MemberNames(std::string_view name) const;
  /// The object `name` as JSON text; empty where it is missing or null. INVALID_FIELD for another
  /// type.
  Result<std::string> Object(std::string_view name) const;
  /// All of it, for whoever goes by a table of members; lives as long as this.
  const simdjson::dom::object& members() const { return object_; }

 private:
  Document() = default;
  std::optional<simdjson::dom::element> Find(std::string_view name) const;

  // `object_` points into the parser, which therefore stays where it is.
  std::unique_ptr<simdjson::dom::parser> parser_ = std::make_unique<simdjson::dom::parser>();
  simdjson::dom::object object_;
};

}  // namespace mlos::json
