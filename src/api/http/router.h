// SPDX-License-Identifier: MIT
#pragma once

#include <span>
#include <string>
#include <string_view>

#include "api/http/call/route.h"
#include "api/http/guard/target.h"
#include "api/http/wire/message.h"
#include "base/result.h"

namespace mlos::api::http {

/// The routes of all dialects and what may be done with a path. HEAD is there where GET is, and
/// OPTIONS everywhere. Thread-safe.
class Router {
 public:
  /// `dialects` outlive it; the last one has the paths that belong to no other.
  explicit Router(std::span<const call::Dialect* const> dialects) : dialects_(dialects) {}

  /// ROUTE_NOT_FOUND, METHOD_NOT_ALLOWED.
  Result<call::RouteMatch> Match(wire::Verb verb, const guard::Target& target) const;
  /// "GET, HEAD, OPTIONS": the methods of `target`; empty where it does not exist.
  std::string Allow(const guard::Target& target) const;
  /// The dialect that `target`, as it was sent, belongs to, whether it exists or not.
  const call::Dialect& DialectOf(std::string_view target) const;
  /// The methods of any target.
  static std::string_view AllowAnywhere() { return "GET, HEAD, POST, DELETE, OPTIONS"; }

 private:
  const call::Dialect& WithRoot(std::string_view root) const;

  std::span<const call::Dialect* const> dialects_;
};

}  // namespace mlos::api::http
