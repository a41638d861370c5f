// SPDX-License-Identifier: MIT
#include "base/model_id.h"

#include <gtest/gtest.h>

namespace mlos {
namespace {

TEST(ModelId, SplitsIntoParts) {
  const ModelId id = ModelId::Parse("hf/google/vit-base@v1.0").value();
  EXPECT_EQ(id.name_space(), "hf");
  EXPECT_EQ(id.name(), "google/vit-base");
  EXPECT_EQ(id.version(), "v1.0");
  EXPECT_EQ(id.text(), "hf/google/vit-base@v1.0");
}

TEST(ModelId, PlainNameHasNeitherNamespaceNorVersion) {
  const ModelId id = ModelId::Parse("resnet50").value();
  EXPECT_EQ(id.name_space(), "");
  EXPECT_EQ(id.name(), "resnet50");
  EXPECT_EQ(id.version(), "");
}

TEST(ModelId, RefusesEveryOtherForm) {
  const std::string long_segment(kModelIdSegmentBytesMax + 1, 'a');
  std::string long_id = "a";
  while (long_id.size() <= kModelIdBytesMax) long_id += "/aaaaaaaaaaaaaaaa";
  const std::string_view bad[] = {
      "",          "/",        "a/",         "/a",     "a//b",
      "..",        ".",        "-rf",        "a/../b", "a/.b",
      "a b",       "a\\b",     "a@",         "a@b@c",  "a@b/c",
      "@v",        "\xc3\xa9", "a\n",        "a%2f",   "a/b@..",
      "a/b@-beta", "a:b",      long_segment, long_id,  std::string_view("a\0b", 3)};
  for (const std::string_view text : bad) {
    const auto parsed = ModelId::Parse(text);
    ASSERT_FALSE(parsed.ok()) << text;
    EXPECT_EQ(parsed.status().reason(), Reason::kInvalidModelId) << text;
    EXPECT_EQ(parsed.status().field(), "model_id") << text;
  }
}

TEST(ModelId, ShowsWhatWasRefusedBoundedAndWithoutControlCharacters) {
  const std::pair<std::string, std::string_view> cases[] = {
      {"", "the model id is empty; "},
      {"../a", "the model id '../a' has a segment that is not valid; "},
      {"a@-x", "the model id 'a@-x' has a version after '@' that is not a valid segment; "},
      {"a\n\x1b[31m\xff", "the model id 'a??[31m?' has a segment that is not valid; "},
  };
  for (const auto& [text, says] : cases) {
    const auto parsed = ModelId::Parse(text);
    ASSERT_FALSE(parsed.ok());
    EXPECT_EQ(parsed.status().message().substr(0, says.size()), says);
  }
  const auto large = ModelId::Parse(std::string(std::size_t{1} << 20, 'a'));
  const std::string says =
      "the model id '" + std::string(80, 'a') + "…' is longer than 512 bytes; ";
  EXPECT_EQ(large.status().message().substr(0, says.size()), says);
}

TEST(ModelId, AcceptsTheLongestLegalId) {
  const std::string segment(kModelIdSegmentBytesMax, 'a');
  const std::string id = segment + "/" + segment + "/" + segment + "/" + segment.substr(3);
  ASSERT_EQ(id.size(), kModelIdBytesMax);
  EXPECT_TRUE(ModelId::Parse(id).ok());
}

}  // namespace
}  // namespace mlos
