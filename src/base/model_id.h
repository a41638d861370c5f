// SPDX-License-Identifier: MIT
#pragma once

#include <string>
#include <string_view>

#include "base/result.h"

namespace mlos {

inline constexpr std::size_t kModelIdBytesMax = 512;
inline constexpr std::size_t kModelIdSegmentBytesMax = 128;

/// True for `[A-Za-z0-9][A-Za-z0-9._-]{0,127}`.
bool IsModelIdSegment(std::string_view segment);

/// The name of a model: `namespace/segment(/segment)*[@version]`, or one plain segment, with
/// segments of `[A-Za-z0-9][A-Za-z0-9._-]{0,127}` and at most 512 bytes in all. The version follows
/// the same rule as a segment. A ModelId that exists is valid. Thread-compatible.
class ModelId {
 public:
  /// INVALID_MODEL_ID, field `model_id`.
  static Result<ModelId> Parse(std::string_view text);

  /// As it was written: "hf/org/name@main".
  const std::string& text() const { return text_; }
  /// The first segment of several ("hf"); empty for a plain name.
  std::string_view name_space() const;
  /// What stands between namespace and version ("org/name").
  std::string_view name() const;
  /// What stands after '@'; empty if there is none.
  std::string_view version() const;

  bool operator==(const ModelId&) const = default;

 private:
  explicit ModelId(std::string_view text) : text_(text) {}
  std::string text_;
};

}  // namespace mlos
