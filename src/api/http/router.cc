// SPDX-License-Identifier: MIT
#include "api/http/router.h"

#include <algorithm>
#include <iterator>

namespace mlos::api::http {
namespace {

using call::Route;
using call::RouteMatch;
using wire::Verb;

constexpr std::string_view kId = "{id}";
constexpr std::string_view kWideId = "{id...}";
constexpr std::string_view kVersion = "{version}";
// What follows the id of a model: an id that ends in one of them is written with %2F.
constexpr std::string_view kActions[] = {"infer", "generate", "generate_stream"};

std::size_t SegmentCount(std::string_view pattern) {
  return static_cast<std::size_t>(std::count(pattern.begin(), pattern.end(), '/'));
}

bool IsAction(std::string_view segment) {
  return std::find(std::begin(kActions), std::end(kActions), segment) != std::end(kActions);
}

/// Joins `count` segments from `first` on; false where one is empty.
bool Join(const std::vector<std::string>& segments, std::size_t first, std::size_t count,
          std::string& joined) {
  joined.clear();
  for (std::size_t i = first; i < first + count; ++i) {
    if (segments[i].empty()) return false;
    if (i != first) joined += '/';
    joined += segments[i];
  }
  return true;
}

/// True where `segments` are the pattern's; `match` has what stands for its placeholders then.
bool Fits(std::string_view pattern, const std::vector<std::string>& segments, RouteMatch& match) {
  const std::size_t wanted_count = SegmentCount(pattern);
  if (segments.size() < wanted_count) return false;
  const std::size_t spare = segments.size() - wanted_count;
  std::size_t i = 0;
  bool wide = false;
  while (!pattern.empty()) {
    pattern.remove_prefix(1);
    const std::size_t slash = std::min(pattern.find('/'), pattern.size());
    const std::string_view wanted = pattern.substr(0, slash);
    if (i == segments.size()) return false;
    if (wanted == kWideId) {
      const bool action = spare != 0 && i + spare + 1 == segments.size();
      if (action && IsAction(segments.back())) return false;
      if (!Join(segments, i, spare + 1, match.id)) return false;
      i += spare;
      wide = true;
    } else if ((wanted == kId || wanted == kVersion) && !segments[i].empty()) {
      (wanted == kId ? match.id : match.version) = segments[i];
    } else if (wanted != segments[i]) {
      return false;
    }
    pattern.remove_prefix(slash);
    ++i;
  }
  return wide || spare == 0;
}

std::string_view RootOf(const guard::Target& target) {
  return target.segments.empty() ? std::string_view() : target.segments.front();
}

}  // namespace

const call::Dialect& Router::WithRoot(std::string_view root) const {
  for (const call::Dialect* dialect : dialects_) {
    if (dialect->root == root) return *dialect;
  }
  return *dialects_.back();
}

const call::Dialect& Router::DialectOf(std::string_view target) const {
  if (target.starts_with('/')) target.remove_prefix(1);
  return WithRoot(target.substr(0, target.find_first_of("/?")));
}

Result<call::RouteMatch> Router::Match(Verb verb, const guard::Target& target) const {
  const Verb wanted = verb == Verb::head ? Verb::get : verb;
  const call::Dialect& dialect = WithRoot(RootOf(target));
  bool path_exists = false;
  for (const Route& route : dialect.routes) {
    RouteMatch match;
    if (!Fits(route.pattern, target.segments, match)) continue;
    path_exists = true;
    match.dialect = &dialect;
    match.route = &route;
    if (route.verb == wanted) return match;
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
    for (const Route& route : WithRoot(RootOf(target)).routes) {
      RouteMatch match;
      if (route.verb != verb || !Fits(route.pattern, target.segments, match)) continue;
      allow.append(boost::beast::http::to_string(verb)).append(", ");
      if (verb == Verb::get) allow.append("HEAD, ");
      break;
    }
  }
  return allow.empty() ? allow : allow + "OPTIONS";
}

}  // namespace mlos::api::http
