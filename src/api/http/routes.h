// SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>

#include "api/http/guard/target.h"
#include "api/http/wire/message.h"
#include "base/result.h"

namespace mlos::api::http {

class Call;

/// The threads a route is handled on.
enum class Place : std::uint8_t {
  kEventThread,  ///< microseconds; small bodies only
  kWorker,       ///< milliseconds
  kManager,      ///< loads models, writes files
};

/// What a route does with a body.
enum class BodyUse : std::uint8_t {
  kIgnored,           ///< a small one is read and dropped
  kDocument,          ///< a JSON object, which has to be there
  kOptionalDocument,  ///< a JSON object, or nothing
  kTensors,           ///< as large as the server takes
};

/// One thing that can be asked for.
struct Route {
  wire::Verb verb;
  /// "{id}" and "{version}" stand for any one segment that is not empty, "{id...}" for one or
  /// more, which are joined with '/'.
  std::string_view pattern;
  Place place;
  BodyUse body;
  /// Answers the call, now or later.
  void (*handle)(const std::shared_ptr<Call>& call);
};

struct RouteMatch {
  const Route* route = nullptr;
  /// What stands for "{id}" or "{id...}", decoded.
  std::string id;
  /// What stands for "{version}", decoded.
  std::string version;
};

/// The table of `routes` and what may be done with a path. HEAD is there where GET is, and OPTIONS
/// everywhere. Thread-safe.
class Router {
 public:
  /// `routes` outlive it.
  explicit Router(std::span<const Route> routes) : routes_(routes) {}

  /// ROUTE_NOT_FOUND, METHOD_NOT_ALLOWED.
  Result<RouteMatch> Match(wire::Verb verb, const guard::Target& target) const;
  /// "GET, HEAD, OPTIONS": the methods of `target`; empty where it does not exist.
  std::string Allow(const guard::Target& target) const;
  /// The methods of any target.
  static std::string_view AllowAnywhere() { return "GET, HEAD, POST, DELETE, OPTIONS"; }

 private:
  std::span<const Route> routes_;
};

}  // namespace mlos::api::http
