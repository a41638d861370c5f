// SPDX-License-Identifier: MIT
#include "catalog/digest_log.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>
#include <string>
#include <vector>

#include "package/test_folder.h"

namespace mlos::catalog {
namespace {

class DigestLogTest : public package::FolderTest {
 protected:
  static KnownDigest Of(std::uint64_t inode) {
    return {{.device = 2, .inode = inode, .modified = 4, .changed = 5, .size_bytes = 6},
            package::DigestOf(std::to_string(inode))};
  }
  std::vector<KnownDigest> Known() const {
    std::vector<KnownDigest> known;
    const DigestLog log(folder() / "digests", known);
    return known;
  }
  static bool IsIn(const std::vector<KnownDigest>& all, const KnownDigest& one) {
    return std::any_of(all.begin(), all.end(), [&](const KnownDigest& known) {
      return known.state == one.state && known.sha256 == one.sha256;
    });
  }
  /// Three lines and what they say.
  std::string Fill() const {
    std::vector<KnownDigest> known;
    std::filesystem::remove(folder() / "digests");
    DigestLog log(folder() / "digests", known);
    for (const KnownDigest& one : written_) log.Append(one);
    return Read("digests");
  }

  const std::vector<KnownDigest> written_ = {Of(1), Of(2), Of(3)};
};

TEST_F(DigestLogTest, GoesOnWithWhatTheLastProcessWrote) {
  Fill();
  const std::vector<KnownDigest> known = Known();
  ASSERT_EQ(known.size(), written_.size());
  for (const KnownDigest& one : written_) EXPECT_TRUE(IsIn(known, one));
}

TEST_F(DigestLogTest, NoChangedByteMakesADigest) {
  const std::string whole = Fill();
  for (std::size_t at = 0; at < whole.size(); at += 3) {
    std::string text = whole;
    text[at] ^= 1;
    Write("digests", text);
    const std::vector<KnownDigest> known = Known();
    EXPECT_LT(known.size(), written_.size()) << "byte " << at;
    for (const KnownDigest& one : known) EXPECT_TRUE(IsIn(written_, one)) << "byte " << at;
  }
}

TEST_F(DigestLogTest, HalfALineIsLeftOutAndNoLineAfterIt) {
  const std::string whole = Fill();
  Write("digests", whole.substr(0, whole.size() - 10));
  EXPECT_EQ(Known().size(), 2U);
  {
    std::vector<KnownDigest> known;
    DigestLog log(folder() / "digests", known);
    log.Append(Of(9));
  }
  EXPECT_TRUE(IsIn(Known(), Of(9)));
}

TEST_F(DigestLogTest, LinesOfAnEarlierBootCountForNothing) {
  std::string text = Fill();
  const std::string first = "mlos-digests 1 00000000-0000-0000-0000-000000000000";
  text.replace(0, text.find('\n'), package::DigestOf(first).Hex() + " " + first);
  Write("digests", text);
  EXPECT_TRUE(Known().empty());
}

TEST_F(DigestLogTest, AFolderInItsPlaceIsNoError) {
  std::filesystem::create_directory(folder() / "digests");
  std::vector<KnownDigest> known;
  DigestLog log(folder() / "digests", known);
  log.Append(Of(1));
  EXPECT_TRUE(known.empty());
}

}  // namespace
}  // namespace mlos::catalog
