// SPDX-License-Identifier: MIT
#include "package/digest.h"

#include <gtest/gtest.h>
#include <sys/stat.h>

#include "base/files.h"
#include "package/test_folder.h"

namespace mlos::package {
namespace {

using DigestTest = FolderTest;

constexpr std::string_view kAbc =
    "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";

TEST(DigestParse, RoundTripsItsOwnText) {
  const Digest digest = DigestOf("abc");
  EXPECT_EQ(digest.Hex(), kAbc);
  EXPECT_EQ(*Digest::Parse(digest.ToString()), digest);
  EXPECT_EQ(*Digest::ParseHex(digest.Hex()), digest);
}

// A digest becomes a file name in the store: nothing but the one form may pass (Ollama
// CVE-2024-37032).
TEST(DigestParse, RefusesEveryOtherForm) {
  const std::string hex(kAbc);
  const std::string upper = "BA7816BF" + hex.substr(8);
  const std::string cases[] = {
      "",
      hex,
      "sha256:",
      "sha256-" + hex,
      "SHA256:" + hex,
      "sha256:" + upper,
      "sha256:" + hex.substr(1),
      "sha256:" + hex + "0",
      "sha256:../" + hex.substr(3),
      "sha256: " + hex.substr(1),
      "md5:d41d8cd98f00b204e9800998ecf8427e",
      "sha512:" + hex,
      "sha256:" + hex.substr(0, 63) + "g",
      "sha256:" + hex + "\n",
      std::string("sha256:") + hex.substr(0, 63) + '\0',
  };
  for (const std::string& text : cases) {
    const auto digest = Digest::Parse(text);
    ASSERT_FALSE(digest.ok()) << text;
    EXPECT_EQ(digest.status().reason(), Reason::kInvalidField);
  }
  EXPECT_FALSE(Digest::ParseHex("sha256:" + hex).ok());
  EXPECT_FALSE(Digest::ParseHex(upper).ok());
}

TEST(Hasher, AnyCutOfTheStreamGivesTheSameDigest) {
  const std::string text = "the quick brown fox jumps over the lazy dog";
  for (std::size_t cut = 0; cut <= text.size(); ++cut) {
    Hasher hasher = Hasher::Sha256();
    hasher.Update(std::string_view(text).substr(0, cut));
    hasher.Update(std::string_view(text).substr(cut));
    EXPECT_EQ(hasher.FinishDigest(), DigestOf(text));
  }
}

TEST(Hasher, GitBlobSha1IsWhatGitHashObjectPrints) {
  Hasher hasher = Hasher::GitBlobSha1(12);
  hasher.Update("hello world\n");
  EXPECT_EQ(hasher.FinishHex(), "3b18e512dba79e4c8300dd08aeb37f8e728b8dad");
}

TEST_F(DigestTest, FilesLargerThanTheReadBufferAreDigestedWhole) {
  std::string bytes(3 * 1024 * 1024 + 7, 'x');
  bytes.back() = 'y';
  Write("big", bytes);
  std::uint64_t seen = 0;
  const auto digest = DigestFile(folder() / "big", [&](std::uint64_t count) {
    seen += count;
    return true;
  });
  ASSERT_TRUE(digest.ok()) << digest.status();
  EXPECT_EQ(digest->sha256, DigestOf(bytes));
  EXPECT_EQ(digest->size_bytes, bytes.size());
  EXPECT_EQ(seen, bytes.size());
  EXPECT_EQ(*DigestBeneath(folder(), "big"), *digest);
}

TEST_F(DigestTest, AFileIsAGitBlob) {
  Write("hello", "hello world\n");
  EXPECT_EQ(*GitBlobSha1OfFile(folder() / "hello"), "3b18e512dba79e4c8300dd08aeb37f8e728b8dad");
}

TEST_F(DigestTest, HashingStopsWhereTheCallerSaysSo) {
  Write("a", "bytes");
  const auto digest = DigestFile(folder() / "a", [](std::uint64_t) { return false; });
  ASSERT_FALSE(digest.ok());
  EXPECT_EQ(digest.status().reason(), Reason::kCancelled);
}

TEST_F(DigestTest, LinksFoldersAndPipesAreNotFiles) {
  Write("file", "bytes");
  std::filesystem::create_symlink("file", folder() / "link");
  std::filesystem::create_directory(folder() / "folder");
  ASSERT_EQ(::mkfifo((folder() / "pipe").c_str(), 0600), 0);
  for (const char* name : {"link", "folder", "pipe"}) {
    const auto direct = DigestFile(folder() / name);
    ASSERT_FALSE(direct.ok()) << name;
    EXPECT_EQ(direct.status().reason(), Reason::kUnsafePath) << name;
    const auto beneath = DigestBeneath(folder(), name);
    ASSERT_FALSE(beneath.ok()) << name;
    EXPECT_EQ(beneath.status().reason(), Reason::kUnsafePath) << name;
  }
  EXPECT_EQ(DigestFile(folder() / "absent").status().reason(), Reason::kFileNotFound);
}

}  // namespace
}  // namespace mlos::package
