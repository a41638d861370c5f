// SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>

#include "api/door/operation.h"
#include "api/http/wire/message.h"
#include "base/status.h"
#include "json/json_writer.h"

namespace mlos::api::http::call {

class Call;

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
  door::Operation operation;
  BodyUse body;
  /// Answers the call, now or later.
  void (*handle)(const std::shared_ptr<Call>& call);
};

/// A family of routes with a language of its own.
struct Dialect {
  /// The first segment of its paths; empty: any that is no other's.
  std::string_view root;
  /// Whether a model is named by its id and nothing else.
  bool plain_ids;
  /// Writes the members of the object that tells of an error.
  void (*write_error)(json::JsonWriter& writer, const Status& status, std::string_view model_id);
  std::span<const Route> routes;
};

struct RouteMatch {
  const Dialect* dialect = nullptr;
  const Route* route = nullptr;
  /// What stands for "{id}" or "{id...}", decoded.
  std::string id;
  /// What stands for "{version}", decoded.
  std::string version;

  /// The id of the model that the path names; empty if there is none, or if it has to be found.
  std::string_view model_id() const {
    const bool of_model = door::RowOf(route->operation).resource == "model";
    return dialect->plain_ids && of_model ? std::string_view(id) : std::string_view();
  }
};

}  // namespace mlos::api::http::call
