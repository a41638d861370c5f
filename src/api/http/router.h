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

/// The table of `routes` and what may be done with a path. HEAD is there where GET is, and OPTIONS
/// everywhere. Thread-safe.
class Router {
 public:
  /// `routes` outlive it.
  explicit Router(std::span<const call::Route> routes) : routes_(routes) {}

  /// ROUTE_NOT_FOUND, METHOD_NOT_ALLOWED.
  Result<call::RouteMatch> Match(wire::Verb verb, const guard::Target& target) const;
  /// "GET, HEAD, OPTIONS": the methods of `target`; empty where it does not exist.
  std::string Allow(const guard::Target& target) const;
  /// The methods of any target.
  static std::string_view AllowAnywhere() { return "GET, HEAD, POST, DELETE, OPTIONS"; }

 private:
  std::span<const call::Route> routes_;
};

}  // namespace mlos::api::http
