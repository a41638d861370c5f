// SPDX-License-Identifier: MIT
#include "package/yaml/fields.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace mlos::package::yaml {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

/// Reads `text` with `read` and yields the first failure.
Status ReadWith(const std::string& text, const Fields::Each& read, Reading::Style style = {}) {
  const auto root = Parse(text);
  EXPECT_TRUE(root.ok()) << root.status();
  Reading reading(style);
  Fields fields(reading, *root, "");
  read(fields);
  fields.Finish();
  return reading.error();
}

TEST(YamlFields, AMapOfWhateverIsAJsonObject) {
  Node root = Parse(R"(
o:
  number: 2
  numbers: [-1.5, 1e3, 0, "2", '-3']
  words: [01, 1., .5, +1, 0x10, yes, True, "true", -]
  truths: [true, false, ~, null]
  nested: {a: {"b c": "\u00fc \"x\""}}
  text: |
    two
    lines
none: ~
list: []
)")
                  .value();
  Reading reading{Reading::Style{}};
  Fields fields(reading, root, "");
  EXPECT_EQ(fields.Object("o"),
            R"({"number":2,"numbers":[-1.5,1e3,0,"2","-3"],)"
            R"("words":["01","1.",".5","+1","0x10","yes","True","true","-"],)"
            R"("truths":[true,false,null,null],"nested":{"a":{"b c":"ü \"x\""}},)"
            R"("text":"two\nlines\n"})");
  EXPECT_EQ(fields.Object("none"), "");
  EXPECT_EQ(fields.Object("missing"), "");
  EXPECT_TRUE(reading.ok()) << reading.error();
  EXPECT_EQ(fields.Object("list"), "");
  EXPECT_EQ(reading.error().field(), "list");
}

TEST(YamlFields, ScalarsAreWhatTheFieldSaysTheyAre) {
  const Status status = ReadWith(
      "country: no\nversion: 1.0\ncount: 7\nratio: 0.5\nfast: true\nhex: 0x10\nabsent: ~\n",
      [](Fields& f) {
        EXPECT_EQ(f.String("country"), "no");
        EXPECT_EQ(f.String("version"), "1.0");
        EXPECT_EQ(f.String("hex"), "0x10");
        EXPECT_EQ(f.Integer("count", 0, 10), 7);
        EXPECT_EQ(f.Number("ratio", 0, 1), 0.5);
        EXPECT_TRUE(f.Bool("fast"));
        EXPECT_EQ(f.String("absent"), "");
        EXPECT_EQ(f.String("not there"), "");
      });
  EXPECT_TRUE(status.ok()) << status;
}

TEST(YamlFields, ListsAndMaps) {
  const Status status = ReadWith(
      "tags: [a, b]\nshape: [-1, 3]\nmean: [0.5, 1e-3]\nby: {cpu: 1 ms}\n"
      "people:\n  - name: x\n  - y\n",
      [](Fields& f) {
        EXPECT_THAT(f.Strings("tags"), ElementsAre("a", "b"));
        EXPECT_EQ(f.Integers("shape", -1, 9), (std::vector<std::int64_t>{-1, 3}));
        EXPECT_THAT(f.Numbers("mean"), ElementsAre(0.5, 1e-3));
        EXPECT_EQ(f.StringMap("by").at("cpu"), "1 ms");
        std::vector<std::string> names;
        f.Sequence(
            "people", [&](Fields& person) { names.push_back(person.String("name")); },
            [&](const std::string& name) { names.push_back(name); });
        EXPECT_THAT(names, ElementsAre("x", "y"));
      });
  EXPECT_TRUE(status.ok()) << status;
}

struct Wrong {
  const char* text;
  void (*read)(Fields&);
  const char* message;
};

TEST(YamlFields, AWrongValueIsNamedWithLineFieldAndValue) {
  const Wrong cases[] = {
      {"a: 1\nn: x1\n", [](Fields& f) { f.Integer("n", 0, 5); },
       "line 2: n: expected a whole number from 0 to 5, got 'x1'"},
      {"n: 6\n", [](Fields& f) { f.Integer("n", 0, 5); }, "from 0 to 5, got '6'"},
      {"n: 99999999999999999999\n", [](Fields& f) { f.Integer("n", 0, 5); }, "got '999"},
      {"n: -1\n", [](Fields& f) { f.Integer("n", 0, 5); }, "got '-1'"},
      {"n: 1.5\n", [](Fields& f) { f.Integer("n", 0, 5); }, "got '1.5'"},
      {"n: [1]\n", [](Fields& f) { f.Integer("n", 0, 5); }, "expected one value"},
      {"n: nan\n", [](Fields& f) { f.Number("n", 0, 5); }, "expected a number"},
      {"n: inf\n", [](Fields& f) { f.Number("n", 0, 5); }, "expected a number"},
      {"n: 1e999\n", [](Fields& f) { f.Number("n", 0, 5); }, "expected a number"},
      {"n: maybe\n", [](Fields& f) { f.Bool("n"); }, "expected true or false, got 'maybe'"},
      {"n: {a: 1}\n", [](Fields& f) { f.String("n"); }, "expected one value"},
      {"n: text\n", [](Fields& f) { f.Strings("n"); }, "expected a list"},
      {"n: [[a]]\n", [](Fields& f) { f.Strings("n"); }, "expected one value"},
      {"n: [1, x]\n", [](Fields& f) { f.Integers("n", 0, 5); }, "got 'x'"},
      {"n: [1, x]\n", [](Fields& f) { f.Numbers("n"); }, "expected a finite number, got 'x'"},
      {"n: [1]\n", [](Fields& f) { f.StringMap("n"); }, "expected a map"},
      {"n: [1]\n", [](Fields& f) { f.Sequence("n", [](Fields&) {}); },
       "n[0]: expected a map of fields"},
      {"n: text\n", [](Fields& f) { f.Map("n", [](Fields&) {}); }, "expected a map of fields"},
      {"n: ''\n", [](Fields& f) { f.RequiredString("n"); }, "n: is missing"},
      {"a: {b: {}}\n",
       [](Fields& f) {
         f.Map("a", [](Fields& a) { a.Map("b", [](Fields& b) { b.RequiredString("c"); }); });
       },
       "line 1: a.b.c: is missing"},
  };
  for (const Wrong& wrong : cases) {
    const Status status = ReadWith(wrong.text, wrong.read, {.strict = false});
    ASSERT_FALSE(status.ok()) << wrong.text;
    EXPECT_THAT(std::string(status.message()), HasSubstr(wrong.message)) << wrong.text;
    EXPECT_FALSE(status.field().empty()) << wrong.text;
  }
}

TEST(YamlFields, StringsHaveALimit) {
  const Status status = ReadWith("a: " + std::string(kStringBytesMax + 1, 'x'),
                                 [](Fields& f) { EXPECT_EQ(f.String("a"), ""); });
  ASSERT_FALSE(status.ok());
  EXPECT_THAT(std::string(status.message()), HasSubstr("longer than 4096 bytes"));
}

TEST(YamlFields, UnknownKeysFailAStrictReadingAndAreWarningsOfAnother) {
  const auto root = Parse("a: 1\nspec:\n  colour: red\n");
  ASSERT_TRUE(root.ok());
  for (const bool strict : {true, false}) {
    Reading reading({.strict = strict});
    Fields fields(reading, *root, "");
    EXPECT_EQ(fields.String("a"), "1");
    fields.Map("spec", [](Fields&) {});
    fields.Finish();
    EXPECT_EQ(reading.ok(), !strict);
    const std::string said =
        strict ? std::string(reading.error().message()) : reading.warnings().at(0);
    EXPECT_EQ(said, "line 3: spec.colour: is not a known field");
  }
}

TEST(YamlFields, FoldedKeysAreFoundAndNeverTwice) {
  const Reading::Style fold{.strict = true, .fold_keys = true};
  EXPECT_TRUE(ReadWith(
                  "{ExecutionFormat: onnx, MinGB: 2}",
                  [](Fields& f) {
                    EXPECT_EQ(f.String("execution_format"), "onnx");
                    EXPECT_EQ(f.Number("min_gb", 0, 9), 2);
                  },
                  fold)
                  .ok());
  const Status twice = ReadWith("{Name: a, name: b}", [](Fields& f) { f.String("name"); }, fold);
  ASSERT_FALSE(twice.ok());
  EXPECT_THAT(std::string(twice.message()), HasSubstr("name: is there twice"));
  EXPECT_FALSE(ReadWith("{Name: a}", [](Fields& f) { f.String("name"); }).ok());
}

}  // namespace
}  // namespace mlos::package::yaml
