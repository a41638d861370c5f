// SPDX-License-Identifier: MIT
#include "package/yaml/tree.h"

#include <gtest/gtest.h>

#include <chrono>

namespace mlos::package::yaml {
namespace {

std::string Repeat(std::string_view text, std::size_t times) {
  std::string all;
  for (std::size_t i = 0; i < times; ++i) all.append(text);
  return all;
}

TEST(YamlTree, KeepsWhatWasWrittenAndWhere) {
  const auto root = Parse("a: no\nb:\n  - 1.0\n  - '~'\n  - ~\nc: {d: \"x\\ny\"}\n");
  ASSERT_TRUE(root.ok()) << root.status();
  EXPECT_EQ(root->keys, (std::vector<std::string>{"a", "b", "c"}));
  EXPECT_FALSE(root->flow);
  EXPECT_EQ(root->items[0].text, "no");
  const Node& list = root->items[1];
  ASSERT_EQ(list.items.size(), 3u);
  EXPECT_EQ(list.items[0].text, "1.0");
  EXPECT_EQ(list.items[0].line, 3);
  EXPECT_EQ(list.items[1].text, "~");
  EXPECT_EQ(list.items[2].kind, Node::Kind::kNull);
  EXPECT_TRUE(root->items[2].flow);
  EXPECT_EQ(root->items[2].items[0].text, "x\ny");
}

TEST(YamlTree, JsonIsYaml) {
  const auto root = Parse(R"({"Metadata": {"Name": "x", "Tags": ["a", "b"], "Size": 12}})");
  ASSERT_TRUE(root.ok()) << root.status();
  EXPECT_TRUE(root->flow);
  EXPECT_EQ(root->items[0].items[2].text, "12");
}

TEST(YamlTree, NothingIsANullNode) {
  for (const char* text : {"", "\n\n", "# only a comment\n", "---\n"}) {
    const auto root = Parse(text);
    ASSERT_TRUE(root.ok()) << text << root.status();
    EXPECT_EQ(root->kind, Node::Kind::kNull) << text;
  }
}

struct Hostile {
  const char* what;
  std::string text;
  const char* said;
};

class HostileYaml : public ::testing::TestWithParam<Hostile> {};

TEST_P(HostileYaml, IsRefusedAtOnceWithItsReason) {
  const auto start = std::chrono::steady_clock::now();
  const auto root = Parse(GetParam().text);
  ASSERT_FALSE(root.ok());
  EXPECT_EQ(root.status().reason(), Reason::kInvalidManifest);
  EXPECT_NE(root.status().message().find(GetParam().said), std::string_view::npos) << root.status();
  EXPECT_LT(root.status().message().size(), 400u);
  EXPECT_LT(std::chrono::steady_clock::now() - start, std::chrono::seconds(10));
}

INSTANTIATE_TEST_SUITE_P(
    Classes, HostileYaml,
    ::testing::Values(
        Hostile{"anchor", "a: &x 1\n", "line 1: anchors are not allowed"},
        Hostile{"anchor_of_null", "a: &x\n", "anchors are not allowed"},
        Hostile{"anchor_of_map", "a: &x {b: 1}\n", "anchors are not allowed"},
        Hostile{"anchor_of_list", "a: &x [1]\n", "anchors are not allowed"},
        Hostile{"anchor_of_key", "&x a: 1\n", "anchors are not allowed"},
        Hostile{"alias_bomb",
                "a: &a [x,x,x,x,x,x,x,x,x]\nb: &b [*a,*a,*a,*a,*a,*a,*a,*a,*a]\n"
                "c: &c [*b,*b,*b,*b,*b,*b,*b,*b,*b]\nd: [*c,*c,*c,*c,*c,*c,*c,*c,*c]\n",
                "anchors are not allowed"},
        Hostile{"undefined_alias", "a: *x\n", "line 1"},
        Hostile{"python_tag", "a: !!python/object/apply:os.system ['id']\n",
                "tags are not allowed"},
        Hostile{"core_tag", "a: 1\nb: !!str 2\n", "line 2: tags are not allowed"},
        Hostile{"local_tag", "a: !thing {b: 1}\n", "tags are not allowed"},
        Hostile{"verbatim_tag", "a: !<tag:example.com,2000:x> b\n", "tags are not allowed"},
        Hostile{"merge_key", "a: {b: 1}\nc:\n  <<: {d: 2}\n", "merge keys are not allowed"},
        Hostile{"duplicate_key", "a: 1\nb: 2\na: 3\n", "line 3: the key 'a' is there twice"},
        Hostile{"duplicate_json_key", R"({"a": 1, "a": 2})", "the key 'a' is there twice"},
        Hostile{"list_as_key", "? [a, b]\n: 1\n", "a key must be"},
        Hostile{"map_as_key", "{{a: 1}: 2}\n", "a key must be"},
        Hostile{"null_as_key", "{~: 2}\n", "a key is missing"},
        Hostile{"two_documents", "a: 1\n---\nb: 2\n", "line 2: a second document"},
        Hostile{"trailing_text", "{a: 1} {b: 2}\n", "a second document begins here"},
        Hostile{"empty_second_document", "a: 1\n---\n", "a second document begins here"},
        Hostile{"document_after_an_end", "a: 1\n...\nb: 2\n", "line 3: a second document"},
        Hostile{"document_after_an_empty_one", "---\n---\na: 1\n", "line 2: a second document"},
        Hostile{"control", "a: \"\\x1b[31m\"\n", "control characters"},
        Hostile{"nul", std::string("a: b\0c", 6), "not UTF-8"},
        Hostile{"latin1", "a: caf\xe9\n", "not UTF-8"},
        Hostile{"utf16",
                std::string("\xff\xfe"
                            "a\0:\0 \0b\0",
                            10),
                "not UTF-8"},
        Hostile{"surrogate", "a: \"\\ud800\"\n", "line 1"},
        Hostile{"broken", "a: [1, 2\nb: }\n", "line"},
        Hostile{"tab_indent", "a:\n\tb: 1\n\t\tc: 2\n", "line"},
        Hostile{"flow_depth", Repeat("[", 5000) + Repeat("]", 5000), "nested more than 32 deep"},
        Hostile{"map_depth", Repeat("{a: ", 40) + "1" + Repeat("}", 40),
                "nested more than 32 deep"},
        Hostile{"block_depth", Repeat("- ", 5000) + "x\n", "nested more than 32 deep"},
        Hostile{"unclosed_depth", Repeat("[", 500'000), "line 1"},
        Hostile{"question_marks", Repeat("? ", 100'000), "line 1"},
        Hostile{"scalar_of_a_gigabyte", "a: " + Repeat("x", 2 << 20), "at most 1048576 are read"}),
    [](const auto& info) { return std::string(info.param.what); });

TEST(YamlTree, NestingUpToTheLimitIsRead) {
  EXPECT_TRUE(Parse(Repeat("[", 32) + Repeat("]", 32)).ok());
  EXPECT_FALSE(Parse(Repeat("[", 33) + Repeat("]", 33)).ok());
}

TEST(YamlTree, AQuotedMergeKeyIsAnOrdinaryKey) {
  const auto root = Parse("\"<<\": 1\n");
  ASSERT_TRUE(root.ok()) << root.status();
  EXPECT_EQ(root->keys.front(), "<<");
}

TEST(YamlTree, ARefusalCarriesTheReasonAskedFor) {
  const auto root = Parse("a: &x 1", {.reason = Reason::kInvalidConfig});
  ASSERT_FALSE(root.ok());
  EXPECT_EQ(root.status().reason(), Reason::kInvalidConfig);
}

TEST(YamlTree, AFullSizeDocumentIsReadInSeconds) {
  std::string text;
  for (int i = 0; text.size() < 900'000; ++i) text += "key" + std::to_string(i) + ": [1, 2]\n";
  const auto start = std::chrono::steady_clock::now();
  ASSERT_TRUE(Parse(text).ok());
  EXPECT_LT(std::chrono::steady_clock::now() - start, std::chrono::seconds(20));
}

}  // namespace
}  // namespace mlos::package::yaml
