// SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/status.h"
#include "package/yaml/tree.h"

namespace mlos::package::yaml {

/// How one document is read, and the outcome. Thread-compatible.
class Reading {
 public:
  struct Style {
    Reason reason = Reason::kInvalidManifest;
    /// Unknown keys are refused rather than warned about.
    bool strict = true;
    /// `ExecutionFormat` is taken for `execution_format`.
    bool fold_keys = false;
  };
  explicit Reading(Style style) : style_(style) {}

  const Style& style() const { return style_; }
  bool ok() const { return error_.ok(); }
  /// The first failure.
  const Status& error() const { return error_; }
  const std::vector<std::string>& warnings() const { return warnings_; }

  /// Keeps the first failure only: later ones mostly follow from it.
  void Fail(int line, std::string_view field, std::string_view problem);
  /// At most 100 are kept.
  void Warn(int line, std::string_view field, std::string_view problem);

 private:
  const Style style_;
  Status error_;
  std::vector<std::string> warnings_;
};

inline constexpr std::size_t kStringBytesMax = 4096;
inline constexpr std::size_t kTextBytesMax = std::size_t{64} << 10;
inline constexpr std::size_t kItemsMax = 10'000;

/// The fields of one map, each read by name. An absent or null field yields the empty value. A
/// wrong one fails the reading and yields the empty value too, so that a reader is a plain list of
/// fields and checks Reading::ok() once, at the end. Thread-compatible.
class Fields {
 public:
  using Each = std::function<void(Fields&)>;

  /// `node` must be a map (a null node is an empty one) or the reading fails. `path` names it in
  /// messages; empty for the document. Borrows both for its lifetime.
  Fields(Reading& reading, const Node& node, std::string path);

  /// A scalar as it was written; quoted or not makes no difference.
  std::string String(std::string_view key, std::size_t bytes_max = kStringBytesMax);
  /// Also fails if the field is absent or empty.
  std::string RequiredString(std::string_view key);
  /// A decimal number without fraction.
  std::int64_t Integer(std::string_view key, std::int64_t min, std::int64_t max);
  /// The same; absent where the field is.
  std::optional<std::int64_t> OptionalInteger(std::string_view key, std::int64_t min,
                                              std::int64_t max);
  /// A finite decimal number.
  double Number(std::string_view key, double min, double max);
  /// true or false.
  bool Bool(std::string_view key);

  std::vector<std::string> Strings(std::string_view key);
  /// Absent if the field is.
  std::optional<std::vector<std::int64_t>> Integers(std::string_view key, std::int64_t min,
                                                    std::int64_t max);
  std::vector<double> Numbers(std::string_view key);
  /// A map of scalars, as text.
  std::map<std::string, std::string> StringMap(std::string_view key);
  /// A map of whatever values, as the text of a JSON object (see ToJson); empty where it is absent.
  std::string Object(std::string_view key);

  /// Reads the fields of a nested map, if there is one; false if it is absent or null.
  bool Map(std::string_view key, const Each& read);
  /// Reads each element of a sequence of maps. If `bare` is given, an element may also be a scalar,
  /// which is passed to it.
  void Sequence(std::string_view key, const Each& read,
                const std::function<void(const std::string&)>& bare = {});

  /// Fails the reading over a field: "line 12: spec.format.type: <problem>".
  void Fail(std::string_view key, std::string_view problem);
  /// Every key that was not read fails a strict reading and is a warning in another. Called for
  /// nested maps by Map and Sequence; for the document by its reader.
  void Finish();

  Reading& reading() { return reading_; }
  const std::string& path() const { return path_; }

 private:
  /// The value of a key, nullptr if absent or null; the key counts as known from now on.
  const Node* Find(std::string_view key);
  const Node* FindScalar(std::string_view key);
  /// The elements of a sequence; nullptr if absent. A single scalar is not a sequence.
  const Node* FindSequence(std::string_view key);
  bool ScalarFits(const Node& node, const std::string& path, std::size_t bytes_max);
  std::string PathOf(std::string_view key) const;

  Reading& reading_;
  const Node& node_;
  const std::string path_;
  std::vector<bool> known_;
};

}  // namespace mlos::package::yaml
