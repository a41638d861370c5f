// SPDX-License-Identifier: MIT
#include "api/http/openapi/openapi.h"

#include <gtest/gtest.h>
#include <simdjson.h>

#include <algorithm>
#include <set>
#include <string>

#include "api/http/dialects.h"

namespace mlos::api::http {
namespace {

/// "get /v2/models/{id}/infer" for each route, as the document would have it.
std::set<std::string> ServedOperations() {
  constexpr std::string_view kWide = "{id...}";
  std::set<std::string> operations;
  std::vector<call::Route> routes;
  for (const call::Dialect* dialect : Dialects()) {
    routes.insert(routes.end(), dialect->routes.begin(), dialect->routes.end());
  }
  for (const call::Route& route : routes) {
    std::string path(route.pattern);
    const std::size_t wide = path.find(kWide);
    if (wide != std::string::npos) path.replace(wide, kWide.size(), "{id}");
    std::string verb(boost::beast::http::to_string(route.verb));
    std::transform(verb.begin(), verb.end(), verb.begin(),
                   [](char c) { return static_cast<char>(c | 0x20); });
    operations.insert(verb + " " + path);
  }
  return operations;
}

std::set<std::string> DescribedOperations() {
  simdjson::dom::parser parser;
  const simdjson::dom::object paths =
      parser.parse(std::string(openapi::DocumentText()))["paths"].get_object();
  std::set<std::string> operations;
  for (const auto path : paths) {
    for (const auto member : simdjson::dom::object(path.value)) {
      if (member.key == "parameters") continue;
      operations.insert(std::string(member.key) + " " + std::string(path.key));
    }
  }
  return operations;
}

TEST(OpenApiTest, DescribesTheRoutesAndNoOthers) {
  EXPECT_EQ(DescribedOperations(), ServedOperations());
}

}  // namespace
}  // namespace mlos::api::http
