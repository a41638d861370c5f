// SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "api/http/wire/message.h"

namespace mlos::api::http::call {

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

}  // namespace mlos::api::http::call
