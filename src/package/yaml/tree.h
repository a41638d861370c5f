// SPDX-License-Identifier: MIT
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"

namespace mlos::package::yaml {

/// The limits beyond which a document is refused.
struct Limits {
  /// The Status of a refusal.
  Reason reason = Reason::kInvalidManifest;
  std::size_t bytes_max = std::size_t{1} << 20;
  int depth_max = 32;
};

/// A node of a document. Scalars are text, which the reader of the field interprets, so that `no`,
/// `1.0` and `0x10` stay as written if a string is expected. Plain data.
struct Node {
  enum class Kind : std::uint8_t { kNull, kScalar, kSequence, kMap };

  Kind kind = Kind::kNull;
  /// Written between braces or brackets, as JSON is.
  bool flow = false;
  /// A scalar in quotes, or a block of text: never a number or a truth value.
  bool quoted = false;
  /// The line in the document, counted from 1.
  int line = 0;
  std::string text;
  /// Elements of a sequence, or values of a map in the order written.
  std::vector<Node> items;
  /// The keys of a map; as many as items.
  std::vector<std::string> keys;

  bool IsMap() const { return kind == Kind::kMap; }
};

/// Reads one YAML document from untrusted text. Refused, with the line: more bytes or nesting than
/// `limits` allow, text that is not UTF-8, control characters, anchors, aliases, tags, merge keys,
/// keys that are not scalars, duplicate keys, a second document. An empty document is a null node.
Result<Node> Parse(std::string_view text, const Limits& limits = {});

}  // namespace mlos::package::yaml
