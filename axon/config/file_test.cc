// SPDX-License-Identifier: MIT
#include "axon/config/file.h"

#include <gmock/gmock.h>

#include "axon/config/keys.h"
#include "package/test_folder.h"

namespace axon::config {
namespace {

using mlos::Reason;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Pair;

class FileTest : public mlos::package::FolderTest {
 protected:
  std::filesystem::path path() const { return folder() / "home/config.yaml"; }
  void Put(std::string_view text) const { Write("home/config.yaml", text); }
};

TEST_F(FileTest, AFileThatIsNotThereOrEmptyHasNoSettings) {
  EXPECT_THAT(ReadConfigFile(path()).value(), IsEmpty());
  EXPECT_FALSE(std::filesystem::exists(path().parent_path())) << "reading creates nothing";
  for (const char* empty : {"", "\n", "# nothing set\n", "---\n"}) {
    Put(empty);
    EXPECT_THAT(ReadConfigFile(path()).value(), IsEmpty()) << empty;
  }
}

TEST_F(FileTest, SettingsAreNamedByTheirGroups) {
  Put("a: 1\nb:\n  c: two words\n  d:\n    e: [1, 2]\n    f: ''\n");
  EXPECT_THAT(ReadConfigFile(path()).value(),
              ElementsAre(Pair("a", "1"), Pair("b.c", "two words"), Pair("b.d.f", "")));
}

TEST_F(FileTest, GroupsWithinGroupsEnd) {
  std::string text;
  for (int depth = 0; depth < 40; ++depth) text += std::string(depth, ' ') + "g:\n";
  Put(text + std::string(40, ' ') + "deep: 1\n");
  EXPECT_THAT(ReadConfigFile(path()).value(), IsEmpty());
}

TEST_F(FileTest, AFileTooLargeIsRefused) {
  Put("a: " + std::string(300 << 10, 'x') + "\n");
  EXPECT_FALSE(ReadConfigFile(path()).ok());
}

TEST_F(FileTest, ASettingIsAddedToItsGroupOrReplaced) {
  ASSERT_TRUE(SetInConfigFile(path(), "download.parallel", "7").ok());
  ASSERT_TRUE(SetInConfigFile(path(), "download.max_retries", "0").ok());
  ASSERT_TRUE(SetInConfigFile(path(), "download.parallel", "8").ok());
  ASSERT_TRUE(SetInConfigFile(path(), "top", "# \"quoted\": - [text]").ok());
  EXPECT_THAT(ReadConfigFile(path()).value(),
              ElementsAre(Pair("download.max_retries", "0"), Pair("download.parallel", "8"),
                          Pair("top", "# \"quoted\": - [text]")));
}

TEST_F(FileTest, WhatCannotBeReadIsNotWrittenOver) {
  Put("download: [\n");
  const mlos::Status status = SetInConfigFile(path(), "download.parallel", "7");
  EXPECT_EQ(status.reason(), Reason::kInvalidConfig);
  EXPECT_THAT(std::string(status.message()), HasSubstr("config.yaml line"));
  EXPECT_EQ(Read("home/config.yaml"), "download: [\n");
}

TEST_F(FileTest, ASecondDocumentIsNeitherIgnoredNorLost) {
  Put("hub: one\n---\nhub: two\n");
  EXPECT_EQ(ReadConfigFile(path()).status().message(),
            "config.yaml line 3: a second document begins here; only one is allowed");
  EXPECT_FALSE(SetInConfigFile(path(), "hub", "three").ok());
}

TEST(KeysTest, EveryKeyTakesItsOwnFallbackAndHasOneName) {
  for (const Key& key : Keys()) {
    EXPECT_EQ(FindKey(key.name), &key);
    EXPECT_FALSE(key.meaning.empty()) << key.name;
    EXPECT_TRUE(key.fallback.empty() || CheckValue(key, key.fallback).ok()) << key.name;
  }
  EXPECT_EQ(FindKey("no.such.key"), nullptr);
}

TEST(KeysTest, CountsKeepToTheirRange) {
  const Key* parallel = FindKey("download.parallel");
  ASSERT_NE(parallel, nullptr);
  const auto accepts = [&](std::int64_t value) {
    return CheckValue(*parallel, std::to_string(value)).ok();
  };
  EXPECT_TRUE(accepts(parallel->min));
  EXPECT_TRUE(accepts(parallel->max));
  EXPECT_FALSE(accepts(parallel->min - 1));
  EXPECT_FALSE(accepts(parallel->max + 1));
  for (const char* text : {"", " 4", "4 ", "4.0", "0x4", "99999999999999999999"}) {
    EXPECT_EQ(CheckValue(*parallel, text).reason(), Reason::kInvalidConfig) << text;
  }
}

}  // namespace
}  // namespace axon::config
