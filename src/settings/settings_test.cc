// SPDX-License-Identifier: MIT
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fstream>
#include <iterator>
#include <limits>
#include <string>

#include "settings/json.h"
#include "settings/json_object.h"
#include "settings/table.h"

namespace mlos::settings {
namespace {

using ::testing::HasSubstr;

/// A value that may be set for each row, and is not what stands for "not set".
struct Setter {
  void operator()(const Setting& setting, Integer& value) const { value = setting.range.unset + 1; }
  void operator()(const Setting& /*setting*/, TextMap& value) const {
    value = {{"it's", "\"\u00fc\"\n"}, {"h", "hn"}};
  }
  void operator()(const Setting& /*setting*/, JsonObject& value) const {
    value.text = R"({"a":[1,2.5,"ü\n"],"b":{"c":null}})";
  }
};

ModelSettings AllSet() {
  ModelSettings settings;
  ForEach(settings, Setter());
  return settings;
}

TEST(SettingsTest, EverySettingComesBackFromJson) {
  const ModelSettings all = AllSet();
  ASSERT_TRUE(Check(all).ok());
  EXPECT_EQ(ParseSettings(ToJson(all)).value(), all);
  EXPECT_EQ(ToJson({}), "{}");
  EXPECT_EQ(ParseSettings("{}").value(), ModelSettings());
  EXPECT_EQ(ParseSettings("[]").status().reason(), Reason::kMalformedJson);
}

TEST(SettingsTest, OtherMembersAreNotLookedAtAndNullIsNotSet) {
  const char* text = R"({"model_id": 7, "max_batch_size": null, "state_pairs": null, "later": {}})";
  EXPECT_EQ(ParseSettings(text).value(), ModelSettings());
}

TEST(SettingsTest, TakesEveryWholeNumberHoweverItIsWritten) {
  const auto read = [](const std::string& number) {
    return ParseSettings(R"({"max_batch_size": )" + number + "}");
  };
  EXPECT_EQ(read("-7").value().max_batch_size, -7);
  EXPECT_EQ(read("2.0").value().max_batch_size, 2);
  EXPECT_EQ(read("4e3").value().max_batch_size, 4000);
  EXPECT_EQ(read("9223372036854775807").value().max_batch_size,
            std::numeric_limits<std::int64_t>::max());
  for (const char* number :
       {"2.5", "1e300", "-1e19", "18446744073709551615", "\"2\"", "true", "[]"}) {
    EXPECT_EQ(read(number).status().reason(), Reason::kInvalidField) << number;
    EXPECT_EQ(read(number).status().field(), "max_batch_size") << number;
  }
}

TEST(SettingsTest, RefusesMapsThatAreNotOfDifferentNamesToStrings) {
  for (const char* map : {"[]", "7", R"({"a": 1})", R"({"a": "b", "a": "c"})"}) {
    const auto read = ParseSettings(std::string(R"({"state_pairs": )") + map + "}");
    EXPECT_EQ(read.status().reason(), Reason::kInvalidField) << map;
    EXPECT_EQ(read.status().field(), "state_pairs") << map;
  }
}

TEST(SettingsTest, ChecksRangesAndNamesTheSetting) {
  const Status low = Check({.max_batch_size = -1});
  EXPECT_EQ(low.reason(), Reason::kValueOutOfRange);
  EXPECT_EQ(low.field(), "max_batch_size");
  EXPECT_THAT(std::string(low.message()), HasSubstr("from 0 to 65536, not -1"));
  EXPECT_EQ(Check({.max_queue_delay_us = 1'000'001}).field(), "max_queue_delay_us");
  EXPECT_TRUE(Check({.max_queue_delay_us = -1}).ok());
  EXPECT_EQ(Check({.state_pairs = {{"h", std::string(257, 'x')}}}).field(), "state_pairs");
  EXPECT_EQ(Check({.state_pairs = {{"h", "\xff"}}}).reason(), Reason::kInvalidField);
}

std::string Nested(int depth) {
  std::string text;
  for (int i = 1; i < depth; ++i) text += R"({"a":)";
  return text + "{}" + std::string(static_cast<std::size_t>(depth - 1), '}');
}

TEST(SettingsTest, TakesObjectsAsTheyAreWithoutBlanks) {
  const auto read = ParseSettings(R"({"options": { "b" : [1, 2.5, "x y"],  "a": {} }})");
  EXPECT_EQ(read.value().options.text, R"({"b":[1,2.5,"x y"],"a":{}})");
  EXPECT_EQ(ParseSettings(R"({"options": []})").status().field(), "options");
}

TEST(SettingsTest, BoundsObjects) {
  const std::string large = R"({"a":")" + std::string(65'529, 'x') + "\"}";
  ASSERT_EQ(large.size(), 65'537U);
  EXPECT_TRUE(CheckObject("options", large.substr(0, 9) + large.substr(10)).ok());
  EXPECT_TRUE(CheckObject("options", Nested(16)).ok());
  EXPECT_TRUE(CheckObject("options", R"({"a":{"b":1},"c":{"b":1}})").ok());
  const std::pair<std::string, const char*> cases[] = {
      {large, "65537 bytes"},
      {Nested(17), "deeper than 16"},
      {R"({"a":[{"b":1,"b":2}]})", "'b' twice"},
      {"[]", "not a JSON object"},
      {"{", "not a JSON object"},
  };
  for (const auto& [text, says] : cases) {
    const Status refused = Check({.options = {text}});
    EXPECT_EQ(refused.reason(), Reason::kInvalidField);
    EXPECT_EQ(refused.field(), "options");
    EXPECT_THAT(std::string(refused.message()), HasSubstr(says));
  }
}

TEST(SettingsTest, TheFirstWinsAndWhatStandsForNotSetIsNotSet) {
  const ModelSettings all = AllSet();
  EXPECT_EQ(Merge({}, all), all);
  EXPECT_EQ(Merge(all, {}), all);
  const ModelSettings first{.max_batch_size = 4, .state_pairs = {{"a", "b"}}};
  const ModelSettings merged = Merge(first, all);
  EXPECT_EQ(merged.max_batch_size, 4);
  EXPECT_EQ(merged.state_pairs, first.state_pairs);
  EXPECT_EQ(merged.max_queue_delay_us, all.max_queue_delay_us);
  const ModelSettings back_to_default = Merge({.max_batch_size = 0, .max_queue_delay_us = -1}, all);
  EXPECT_EQ(back_to_default.max_batch_size, std::nullopt);
  EXPECT_EQ(back_to_default.max_queue_delay_us, std::nullopt);
}

TEST(SettingsTest, TheReferenceHasARowForEach) {
  std::ifstream file("docs/API-REFERENCE.md");
  const std::string page(std::istreambuf_iterator<char>(file), {});
  ASSERT_FALSE(page.empty());
  for (const Setting& setting : Table()) {
    const std::string row =
        "| `" + std::string(setting.name) + "` | " + std::string(setting.meaning) + " |\n";
    EXPECT_THAT(page, HasSubstr(row)) << "the table of settings in docs/API-REFERENCE.md";
  }
}

}  // namespace
}  // namespace mlos::settings
