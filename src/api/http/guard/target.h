// SPDX-License-Identifier: MIT
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"

namespace mlos::api::http::guard {

/// A request target, "/models/hf%2Fbert/inference?include_outputs=false", taken apart: first at the
/// slashes, then each piece percent-decoded once, so that an encoded slash belongs to its piece and
/// nothing is ever decoded twice.
struct Target {
  std::vector<std::string> segments;  ///< "models", "hf/bert", "inference"
  std::string_view query;             ///< as it was written; points into the text

  /// `text` starts with '/'. MALFORMED_REQUEST for a percent sign without two digits, and for
  /// pieces that decode to control characters or to what is not UTF-8 (overlong forms included);
  /// with the parameter's name as field where it is one of the query.
  static Result<Target> Parse(std::string_view text);
};

/// The decoded value of the parameter `name` in the query of a Target; "" where it has none.
/// Nothing where the parameter is missing.
std::optional<std::string> QueryParameter(std::string_view query, std::string_view name);

}  // namespace mlos::api::http::guard
