// SPDX-License-Identifier: MIT
#include "store/owned_folders.h"

#include <gtest/gtest.h>

#include "package/test_folder.h"

namespace mlos::store {
namespace {

namespace fs = std::filesystem;

class OwnedFoldersTest : public package::FolderTest {
 protected:
  std::unique_ptr<OwnedFolders> Open(const std::set<std::string>& used = {}) const {
    return OwnedFolders::Open(folder() / "own",
                              [&](const auto& name) { return used.contains(name); })
        .value();
  }
  /// A folder of this name with one file.
  void Put(OwnedFolders& folders, const std::string& name, const std::string& bytes) const {
    const fs::path staged = folders.Stage().value();
    Write(fs::relative(staged / "file", folder()), bytes);
    EXPECT_TRUE(folders.Publish(staged, name).ok());
  }
  std::string ReadFileOf(const OwnedFolders& folders, const std::string& name) const {
    return Read(fs::relative(folders.PathOf(name) / "file", folder()));
  }
};

TEST_F(OwnedFoldersTest, ANewFolderTakesTheNameOfAnOldOne) {
  const auto folders = Open();
  Put(*folders, "a", "old");
  Put(*folders, "a", "new");
  EXPECT_EQ(ReadFileOf(*folders, "a"), "new");
  EXPECT_EQ(folders->TotalBytes(), 3U) << "the old one is gone";
}

TEST_F(OwnedFoldersTest, OpeningSweepsWhatWasLeftHalfDoneAndWhatIsNotUsed) {
  const auto before = Open();
  Put(*before, "used", "x");
  Put(*before, "unused", "x");
  const fs::path staged = before->Stage().value();
  const auto folders = Open({"used"});
  EXPECT_TRUE(fs::exists(folders->PathOf("used")));
  EXPECT_FALSE(fs::exists(folders->PathOf("unused")));
  EXPECT_FALSE(fs::exists(staged));
}

TEST_F(OwnedFoldersTest, ASweepLeavesWhatIsPinnedOrBeingMade) {
  const auto folders = Open();
  Put(*folders, "a", "x");
  auto pin = folders->Hold("a");
  const fs::path staged = folders->Stage().value();
  const auto unused = [](const std::string&) { return false; };
  folders->Sweep(unused);
  EXPECT_TRUE(fs::exists(folders->PathOf("a")));
  EXPECT_TRUE(fs::exists(staged));
  folders->Discard(staged);
  pin.reset();
  EXPECT_TRUE(fs::is_empty(folder() / "own")) << "it went with its last pin";
}

TEST_F(OwnedFoldersTest, WhatIsUsedAfterASweepStays) {
  const auto folders = Open();
  Put(*folders, "a", "x");
  auto pin = folders->Hold("a");
  folders->Sweep([](const std::string&) { return false; });
  folders->Keep("a");
  pin.reset();
  EXPECT_TRUE(fs::exists(folders->PathOf("a")));
}

TEST_F(OwnedFoldersTest, OnlyItsUserMayLookIntoIt) {
  const auto folders = Open();
  Put(*folders, "a", "x");
  EXPECT_EQ(fs::status(folders->PathOf("a")).permissions(), fs::perms::owner_all);
}

}  // namespace
}  // namespace mlos::store
