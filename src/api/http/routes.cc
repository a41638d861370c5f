// SPDX-License-Identifier: MIT
#include "api/http/routes.h"

#include <algorithm>

namespace mlos::api::http {
namespace {

using wire::Verb;

constexpr std::string_view kId = "{id}";

/// True where `segments` are the pattern's; `id` points to the one that stands for "{id}" then.
bool Fits(std::string_view pattern, const std::vector<std::string>& segments,
          const std::string*& id) {
  std::size_t i = 0;
  id = nullptr;
  while (!pattern.empty()) {
    if (i == segments.size()) return false;
    pattern.remove_prefix(1);
    const std::size_t slash = std::min(pattern.find('/'), pattern.size());
    const std::string_view wanted = pattern.substr(0, slash);
    if (wanted == kId && !segments[i].empty()) {
      id = &segments[i];
    } else if (wanted != segments[i]) {
      return false;
    }
    pattern.remove_prefix(slash);
    ++i;
  }
  return i == segments.size();
}

}  // namespace

Result<RouteMatch> Router::Match(Verb verb, const guard::Target& target) const {
  const Verb wanted = verb == Verb::head ? Verb::get : verb;
  bool path_exists = false;
  for (const Route& route : routes_) {
    const std::string* id = nullptr;
    if (!Fits(route.pattern, target.segments, id)) continue;
    path_exists = true;
    if (route.verb == wanted) return RouteMatch{&route, id != nullptr ? *id : std::string()};
  }
  if (path_exists) {
    return Status(Reason::kMethodNotAllowed,
                  "this resource has no such method; it has " + Allow(target));
  }
  return Status(Reason::kRouteNotFound,
                "there is no such resource; '/' inside a model id is written as %2F");
}

std::string Router::Allow(const guard::Target& target) const {
  std::string allow;
  for (const Verb verb : {Verb::get, Verb::post, Verb::delete_}) {
    for (const Route& route : routes_) {
      const std::string* id = nullptr;
      if (route.verb != verb || !Fits(route.pattern, target.segments, id)) continue;
      allow.append(boost::beast::http::to_string(verb)).append(", ");
      if (verb == Verb::get) allow.append("HEAD, ");
      break;
    }
  }
  return allow.empty() ? allow : allow + "OPTIONS";
}

}  // namespace mlos::api::http
