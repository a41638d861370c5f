// SPDX-License-Identifier: MIT
#include "api/http/router.h"

#include <gtest/gtest.h>

#include "api/http/dialects.h"

namespace mlos::api::http {
namespace {

using wire::Verb;

const Router& TheRouter() {
  static const Router router(Dialects());
  return router;
}

/// "pattern [id]" or "pattern [id, version]", or the reason there is none.
std::string Matched(Verb verb, std::string_view path) {
  const auto match = TheRouter().Match(verb, guard::Target::Parse(path).value());
  if (!match.ok()) return std::string(ToString(match.status().reason()));
  const std::string version = match->version.empty() ? "" : ", " + match->version;
  return std::string(match->route->pattern) + " [" + match->id + version + "]";
}

TEST(RouterTest, MatchesPaths) {
  const struct {
    Verb verb;
    std::string_view path;
    std::string_view matched;
  } cases[] = {
      {Verb::get, "/health", "/health []"},
      {Verb::head, "/health", "/health []"},
      {Verb::get, "/health/ready?x=1", "/health/ready []"},
      {Verb::get, "/models", "/models []"},
      {Verb::post, "/models/register", "/models/register []"},
      {Verb::get, "/models/register", "/models/{id} [register]"},
      {Verb::post, "/models/hf%2Fbert/inference", "/models/{id}/inference [hf/bert]"},
      {Verb::delete_, "/models/hf%2Fbert%40v1", "/models/{id} [hf/bert@v1]"},
      {Verb::get, "/", "ROUTE_NOT_FOUND"},
      {Verb::get, "//health", "ROUTE_NOT_FOUND"},
      {Verb::get, "/health/", "ROUTE_NOT_FOUND"},
      {Verb::get, "/Health", "ROUTE_NOT_FOUND"},
      {Verb::get, "/health;x", "ROUTE_NOT_FOUND"},
      {Verb::get, "/models/", "ROUTE_NOT_FOUND"},
      {Verb::post, "/models//inference", "ROUTE_NOT_FOUND"},
      {Verb::post, "/models/a/b/inference", "ROUTE_NOT_FOUND"},
      {Verb::post, "/health", "METHOD_NOT_ALLOWED"},
      {Verb::put, "/models/a", "METHOD_NOT_ALLOWED"},
      {Verb::unknown, "/models", "METHOD_NOT_ALLOWED"},
      {Verb::get, "/models/a/inference", "METHOD_NOT_ALLOWED"},
  };
  for (const auto& c : cases) EXPECT_EQ(Matched(c.verb, c.path), c.matched) << c.path;
}

TEST(RouterTest, ModelsOfTheOpenInferenceProtocolMayHaveSlashes) {
  const struct {
    Verb verb;
    std::string_view path;
    std::string_view matched;
  } cases[] = {
      {Verb::get, "/v2", "/v2 []"},
      {Verb::get, "/v2/", "ROUTE_NOT_FOUND"},
      {Verb::get, "/v2/models", "ROUTE_NOT_FOUND"},
      {Verb::get, "/v2/models/", "ROUTE_NOT_FOUND"},
      {Verb::get, "/v2/models/stats", "/v2/models/stats []"},
      {Verb::get, "/v2/models/m", "/v2/models/{id...} [m]"},
      {Verb::get, "/v2/models/a/b%2Fc/d%40v", "/v2/models/{id...} [a/b/c/d@v]"},
      {Verb::get, "/v2/models/a/b/ready", "/v2/models/{id...}/ready [a/b]"},
      {Verb::get, "/v2/models/a%2Fready", "/v2/models/{id...} [a/ready]"},
      {Verb::get, "/v2/models/a//b", "ROUTE_NOT_FOUND"},
      {Verb::post, "/v2/models/infer", "METHOD_NOT_ALLOWED"},
      {Verb::get, "/v2/models/a/infer", "METHOD_NOT_ALLOWED"},
      {Verb::get, "/v2/models/a%2Finfer", "/v2/models/{id...} [a/infer]"},
      {Verb::post, "/v2/models/a/b/infer", "/v2/models/{id...}/infer [a/b]"},
      {Verb::post, "/v2/models/infer/infer", "/v2/models/{id...}/infer [infer]"},
      {Verb::post, "/v2/models/a/b/versions/1/infer",
       "/v2/models/{id...}/versions/{version}/infer [a/b, 1]"},
      {Verb::get, "/v2/models/a/versions/1", "/v2/models/{id...}/versions/{version} [a, 1]"},
      {Verb::get, "/v2/models/versions/1", "/v2/models/{id...} [versions/1]"},
      {Verb::post, "/v2/repository/models/a/b/load", "/v2/repository/models/{id...}/load [a/b]"},
  };
  for (const auto& c : cases) EXPECT_EQ(Matched(c.verb, c.path), c.matched) << c.path;
}

TEST(RouterTest, AllowListsTheMethodsOfAPath) {
  const auto allow = [](std::string_view path) {
    return TheRouter().Allow(guard::Target::Parse(path).value());
  };
  EXPECT_EQ(allow("/health"), "GET, HEAD, OPTIONS");
  EXPECT_EQ(allow("/models/a"), "GET, HEAD, DELETE, OPTIONS");
  EXPECT_EQ(allow("/models/register"), "GET, HEAD, POST, DELETE, OPTIONS");
  EXPECT_EQ(allow("/models/a/inference"), "POST, OPTIONS");
  EXPECT_EQ(allow("/nothing"), "");
}

}  // namespace
}  // namespace mlos::api::http
