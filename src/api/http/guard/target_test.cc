// SPDX-License-Identifier: MIT
#include "api/http/guard/target.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace mlos::api::http::guard {
namespace {

using testing::ElementsAre;

std::vector<std::string> Segments(std::string_view text) {
  return Target::Parse(text).value().segments;
}

TEST(TargetTest, SplitsFirstAndDecodesOnce) {
  EXPECT_THAT(Segments("/health"), ElementsAre("health"));
  EXPECT_THAT(Segments("/"), ElementsAre(""));
  EXPECT_THAT(Segments("/models/hf%2Fbert%40latest/inference?a=b"),
              ElementsAre("models", "hf/bert@latest", "inference"));
  EXPECT_THAT(Segments("/models/%252e%252e%252f"), ElementsAre("models", "%2e%2e%2f"));
  EXPECT_THAT(Segments("/a//b/"), ElementsAre("a", "", "b", ""));
  EXPECT_THAT(Segments("/..%5c;x"), ElementsAre("..\\;x"));
}

TEST(TargetTest, RefusesWhatDoesNotDecode) {
  for (const std::string_view text : {"/%", "/%4", "/%zz", "/%00", "/a%0a", "/%7f", "/%ff",
                                      "/%c0%af", "/%e0%80%af", "/%ed%a0%80", "/%f4%90%80%80"}) {
    const auto target = Target::Parse(text);
    ASSERT_FALSE(target.ok()) << text;
    EXPECT_EQ(target.status().reason(), Reason::kMalformedRequest) << text;
  }
}

TEST(TargetTest, RefusesAQueryThatDoesNotDecodeByItsParameter) {
  const std::pair<std::string_view, std::string_view> cases[] = {
      {"/x?a=%", "a"},       {"/x?b=1&a=%zz", "a"}, {"/x?a=%00", "a"},   {"/x?a=b%0e", "a"},
      {"/x?a=%ff&b=1", "a"}, {"/x?%61=%7f", "a"},   {"/x?%=1", "query"}, {"/x?a%0a", "query"},
  };
  for (const auto& [text, field] : cases) {
    const auto target = Target::Parse(text);
    ASSERT_FALSE(target.ok()) << text;
    EXPECT_EQ(target.status().reason(), Reason::kMalformedRequest) << text;
    EXPECT_EQ(target.status().field(), field) << text;
  }
}

TEST(TargetTest, FindsParameters) {
  const auto target = Target::Parse("/x?a=1&bb=2&c&d=%26%3D&a=3").value();
  EXPECT_EQ(QueryParameter(target.query, "a"), "1");
  EXPECT_EQ(QueryParameter(target.query, "bb"), "2");
  EXPECT_EQ(QueryParameter(target.query, "c"), "");
  EXPECT_EQ(QueryParameter(target.query, "d"), "&=");
  EXPECT_EQ(QueryParameter(target.query, "b"), std::nullopt);
  EXPECT_EQ(QueryParameter("", "a"), std::nullopt);
}

}  // namespace
}  // namespace mlos::api::http::guard
