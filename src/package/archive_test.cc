// SPDX-License-Identifier: MIT
#include "package/archive.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include "package/test_folder.h"
#include "package/test_tar.h"
#include "package/verify.h"

namespace mlos::package {
namespace {

using test::Compress;
using test::Padded;
using test::PaxHeader;
using test::PaxRecord;
using test::TarEnd;
using test::TarFile;
using test::TarHeader;
using ::testing::ElementsAre;
using ::testing::HasSubstr;

namespace fs = std::filesystem;

class ArchiveTest : public FolderTest {
 protected:
  void SetUp() override {
    FolderTest::SetUp();
    fs::create_directory(staging());
  }

  fs::path staging() const { return folder() / "staging"; }
  fs::path packed() const { return folder() / "x.axon"; }

  /// Refused by the listing, and by unpacking with nothing written at all.
  void ExpectRefused(const std::string& bytes, const std::string& said,
                     const ArchiveLimits& limits = {}) const {
    Write("x.axon", bytes);
    for (const bool extract : {false, true}) {
      const auto files =
          extract ? ExtractArchive(packed(), staging(), limits) : ListArchive(packed(), limits);
      ASSERT_FALSE(files.ok()) << said;
      EXPECT_EQ(files.status().reason(), Reason::kInvalidPackage) << files.status();
      EXPECT_THAT(std::string(files.status().message()), HasSubstr(said));
      EXPECT_TRUE(fs::is_empty(staging())) << said;
    }
    EXPECT_FALSE(fs::exists(folder().parent_path() / "escaped"));
  }

  void ExpectAccepted(const std::string& bytes) const {
    Write("x.axon", bytes);
    const auto files = ExtractArchive(packed(), staging());
    EXPECT_TRUE(files.ok()) << files.status();
    fs::remove_all(staging());
    fs::create_directory(staging());
  }
};

/// What precedes the bad entry: were it written, it would be seen.
std::string After(const std::string& bad) { return TarFile("good", "data") + bad + TarEnd(); }

TEST_F(ArchiveTest, OneBadNameRefusesTheWholeArchive) {
  const std::string names[] = {"../escaped",
                               "/escaped",
                               "a/../../escaped",
                               "a/../b",
                               "a//b",
                               "a/./b",
                               "..",
                               "C:\\escaped",
                               "a\\b",
                               "././b",
                               "new\nline",
                               "esc\x1b[31m",
                               "latin\xe9",
                               "a/b/",
                               "a/..",
                               "a/.",
                               "."};
  for (const std::string& name : names) ExpectRefused(After(TarFile(name, "x")), "entry '");
  ExpectRefused(After(PaxHeader(PaxRecord("path", "../escaped")) + TarFile("innocent", "x")),
                "entry '");
  ExpectRefused(
      After(TarHeader("././@LongLink", 'L', 11) + Padded("../escaped") + TarFile("innocent", "x")),
      "entry '");
  ExpectRefused(After(PaxHeader(PaxRecord("path", std::string_view("good\0/../x", 10))) +
                      TarFile("innocent", "x")),
                "");
  ExpectRefused(After(PaxHeader(PaxRecord("path", std::string(2000, 'p'))) + TarFile("n", "x")),
                "entry '");
  ExpectRefused(After(PaxHeader(PaxRecord("path", std::string(2 << 20, 'p'))) + TarFile("n", "x")),
                "");
  std::string deep;
  for (int i = 0; i < 33; ++i) deep += "d/";
  ExpectRefused(After(PaxHeader(PaxRecord("path", deep + "f")) + TarFile("n", "x")),
                "lies too deep");
}

TEST_F(ArchiveTest, OnlyFilesAndFoldersAreEntries) {
  ExpectRefused(After(TarHeader("l", '2', 0, "/etc/passwd")), "is a symbolic link");
  ExpectRefused(After(TarHeader("l", '2', 0, "good") + TarFile("l/x", "x")), "is a symbolic link");
  ExpectRefused(After(TarHeader("one", '2', 0, ".") + TarHeader("two", '2', 0, "one/..") +
                      TarFile("two/escaped", "x")),
                "is a symbolic link");
  ExpectRefused(After(PaxHeader(PaxRecord("linkpath", "/etc/passwd")) + TarHeader("l", '2', 0)),
                "is a symbolic link");
  ExpectRefused(After(TarHeader("l", '1', 0, "good")), "is a hard link");
  ExpectRefused(After(TarHeader("l", '1', 0, "/etc/passwd")), "is a hard link");
  ExpectRefused(After(TarHeader("d", '3', 0)), "is neither a file nor a folder");
  ExpectRefused(After(TarHeader("d", '4', 0)), "is neither a file nor a folder");
  ExpectRefused(After(TarHeader("p", '6', 0)), "is neither a file nor a folder");
  ExpectRefused(After(PaxHeader(PaxRecord("GNU.sparse.size", "1000000000000") +
                                PaxRecord("GNU.sparse.numblocks", "2") +
                                PaxRecord("GNU.sparse.map", "0,1,999999999999,1")) +
                      TarFile("s", "xy")),
                "is a sparse file");
}

TEST_F(ArchiveTest, NamesMustFitTogether) {
  ExpectRefused(TarFile("a", "1") + TarFile("a", "2") + TarEnd(), "'a' is there twice");
  ExpectRefused(TarFile("a", "1") + TarFile("./a", "2") + TarEnd(), "'a' is there twice");
  ExpectRefused(TarFile("a", "1") + TarFile("a-b", "") + TarFile("a/b", "2") + TarEnd(),
                "'a' is a file and a folder");
  ExpectRefused(TarFile("a/b/c", "1") + TarFile("a/b", "2") + TarEnd(), "is a file and a folder");
  ExpectRefused(TarHeader("a/", '5', 0) + TarFile("a", "1") + TarEnd(), "'a' is there twice");
}

TEST_F(ArchiveTest, FoldersAndTheDotOfTarAreHarmless) {
  Write("x.axon", TarHeader("./", '5', 0) + TarHeader("./a/", '5', 0) + TarFile("./a/b", "1") +
                      TarHeader("e/", '5', 0) + TarEnd());
  const auto files = ExtractArchive(packed(), staging());
  ASSERT_TRUE(files.ok()) << files.status();
  EXPECT_THAT(*files, ElementsAre(ArchiveFile{"a/b", 1}));
  EXPECT_EQ(Read("staging/a/b"), "1");
  EXPECT_TRUE(fs::is_directory(staging() / "e"));
}

TEST_F(ArchiveTest, LongAndForeignNamesKeepTheirBytes) {
  const std::string name = std::string(150, 'n') + "/é🙂";
  Write("x.axon", PaxHeader(PaxRecord("path", name)) + TarFile("short", "data") + TarEnd());
  const auto files = ExtractArchive(packed(), staging());
  ASSERT_TRUE(files.ok()) << files.status();
  EXPECT_EQ(Read("staging/" + name), "data");
}

TEST_F(ArchiveTest, LimitsHold) {
  std::string many;
  for (int i = 0; i < 11; ++i) many += TarFile("f" + std::to_string(i), "");
  ExpectRefused(many + TarEnd(), "more than 10 entries", {.entries_max = 10});
  ExpectRefused(TarFile("a", "12345") + TarFile("b", "12345") + TarEnd(), "more than 9 bytes",
                {.bytes_max = 9});
  ExpectRefused(TarFile("a", "x") + TarHeader("b", '0', std::uint64_t{7} << 30) + TarEnd(),
                "is cut off");
  ExpectRefused(TarHeader("a", '0', (std::uint64_t{8} << 30) - 1) + TarEnd(), "more than",
                {.bytes_max = 1 << 20});
  // Base-256 sizes may be negative.
  std::string negative = TarHeader("a", '0', 0);
  negative.replace(124, 12, std::string(12, '\xff'));
  ExpectRefused(negative + TarEnd(), "");
}

TEST_F(ArchiveTest, BombsEndAtTheRatio) {
  const std::string zeros(64 << 20, '\0');
  for (const char* filter : {"gzip", "zstd"}) {
    const std::string bomb = Compress(TarFile("zeros", zeros) + TarEnd(), filter);
    ASSERT_LT(bomb.size(), zeros.size() / 200);
    ExpectRefused(bomb, "more than 200 times its size");
    ExpectAccepted(Compress(TarFile("zeros", zeros.substr(0, 100'000)) + TarEnd(), filter));
  }
}

TEST_F(ArchiveTest, ACompressedArchiveIsNotCompressedAgain) {
  const std::string tar = TarFile("a", "data") + TarEnd();
  ExpectRefused(Compress(Compress(tar, "gzip"), "gzip"), "compressed more than once");
  ExpectRefused(Compress(Compress(tar, "zstd"), "gzip"), "compressed more than once");
}

// The window is memory that a few bytes of header ask for: 2^31 and 2^41 are refused by the
// decoder.
TEST_F(ArchiveTest, AHugeZstdWindowIsRefused) {
  for (const unsigned char window : {0xa8, 0xf8}) {
    std::string frame("\x28\xb5\x2f\xfd", 4);
    frame.push_back('\0');
    frame.push_back(static_cast<char>(window));
    frame.append(std::string("\x03\x00\x02", 3) + std::string(1 << 14, '\0'));
    ExpectRefused(frame, "");
  }
}

TEST_F(ArchiveTest, OtherFormatsAndDamageAreRefused) {
  const std::string tar = TarFile("a", std::string(100'000, 'x')) + TarEnd();
  const std::string gz = Compress(tar, "gzip");
  ExpectRefused("", "not a readable .axon archive");
  ExpectRefused("PK\x03\x04 a zip", "not a readable .axon archive");
  ExpectRefused(std::string(5000, 'x'), "not a readable .axon archive");
  ExpectRefused(Compress(tar, "bzip2"), "not a readable .axon archive");
  ExpectRefused(tar.substr(0, 50'000), "is cut off");
  ExpectRefused(gz.substr(0, gz.size() / 2), "");
  ExpectRefused(Compress(tar, "zstd").substr(0, 40), "");
  std::string broken_header = tar;
  broken_header[0] = 'b';
  ExpectRefused(broken_header, "");
  EXPECT_EQ(ListArchive(folder() / "absent").status().reason(), Reason::kFileNotFound);
  EXPECT_EQ(ListArchive(folder()).status().reason(), Reason::kInvalidPackage);
}

TEST_F(ArchiveTest, TheTrailerOfAGzipFileIsChecked) {
  const std::string tar = TarFile("a", std::string(100'000, 'x')) + TarEnd();
  const std::string good = Compress(tar, "gzip");
  ExpectAccepted(good);
  ExpectAccepted(good + Compress(TarEnd(), "gzip"));
  std::string checksum = good;
  checksum[good.size() - 6] ^= 1;
  ExpectRefused(checksum, "has a checksum that its content does not have");
  std::string length = good;
  length[good.size() - 2] ^= 1;
  ExpectRefused(length, "has a length that its content does not have");
  ExpectRefused(good.substr(0, good.size() - 1), "is cut off");
  ExpectRefused(good.substr(0, good.size() - 8), "is cut off");
  ExpectRefused(good + "trailing bytes", "has bytes behind its end");
  ExpectRefused(good + checksum, "has a checksum that its content does not have");
  const std::string bomb = Compress(std::string(64 << 20, '\0'), "gzip");
  ExpectRefused(good + bomb, "more than 200 times its size");
}

TEST_F(ArchiveTest, NothingIsWrittenOverWhatIsThere) {
  Write("x.axon", TarFile("a", "new") + TarEnd());
  Write("staging/a", "old");
  EXPECT_EQ(ExtractArchive(packed(), staging()).status().reason(), Reason::kAlreadyExists);
  EXPECT_EQ(Read("staging/a"), "old");
  fs::create_directory_symlink("staging", folder() / "link");
  EXPECT_FALSE(ExtractArchive(packed(), folder() / "link").ok());
}

/// A packed model and what comes out of it again.
class PackTest : public ArchiveTest {
 protected:
  void SetUp() override {
    ArchiveTest::SetUp();
    Write("model/model.onnx", "graph");
    Write("model/data/weights.bin", std::string(3 << 20, 'w') + "end");
    Write("model/unlisted", "not packed");
    manifest_.metadata = {.name = "m", .name_space = "hf", .version = "1"};
    manifest_.format.execution_format = "onnx";
    for (const char* path : {"model.onnx", "data/weights.bin"}) {
      const auto digest = DigestBeneath(folder() / "model", path);
      manifest_.format.files.push_back({path, digest->size_bytes, digest->sha256});
    }
    manifest_.format.execution_files = {{"model.onnx", "onnx", "single"}};
    manifest_.extension = Extension{.generator = "test", .graph = "model.onnx"};
  }

  Status Pack(Compression compression) const {
    return WriteArchive(folder() / "model", manifest_, packed(), compression);
  }

  Manifest manifest_;
};

TEST_F(PackTest, WhatGoesInComesOut) {
  for (const auto compression : {Compression::kNone, Compression::kGzip, Compression::kZstd}) {
    // Repetitive weights compress beyond what a stranger's archive may.
    const ArchiveLimits limits{.ratio_max = 100'000};
    ASSERT_TRUE(Pack(compression).ok()) << Pack(compression);
    const auto files = ExtractArchive(packed(), staging(), limits);
    ASSERT_TRUE(files.ok()) << files.status();
    ASSERT_EQ(files->size(), 3u);
    EXPECT_EQ(files->at(0).path, "manifest.yaml");
    EXPECT_EQ(files->at(1).path, "data/weights.bin");
    const auto manifest = ReadManifest(staging() / "manifest.yaml");
    ASSERT_TRUE(manifest.ok()) << manifest.status();
    EXPECT_EQ(manifest->manifest, manifest_);
    EXPECT_TRUE(VerifyDirectory(staging(), manifest_)->ok());
    EXPECT_EQ(ReadArchivedManifest(packed(), limits)->manifest, manifest_);
    fs::remove_all(staging());
    fs::create_directory(staging());
  }
}

TEST_F(PackTest, EqualInputGivesEqualBytes) {
  for (const auto compression : {Compression::kNone, Compression::kGzip, Compression::kZstd}) {
    ASSERT_TRUE(Pack(compression).ok());
    const std::string first = Read("x.axon");
    fs::last_write_time(folder() / "model/model.onnx", fs::file_time_type::clock::now());
    fs::permissions(folder() / "model/model.onnx", fs::perms::owner_all);
    std::reverse(manifest_.format.execution_files.begin(), manifest_.format.execution_files.end());
    ASSERT_TRUE(Pack(compression).ok());
    EXPECT_EQ(Read("x.axon"), first);
  }
}

TEST_F(PackTest, AFileThatIsNotAsTheManifestSaysIsNotPacked) {
  Write("model/model.onnx", "grapH");
  EXPECT_EQ(Pack(Compression::kNone).reason(), Reason::kChecksumMismatch);
  Write("model/model.onnx", "longer graph");
  EXPECT_EQ(Pack(Compression::kNone).reason(), Reason::kChecksumMismatch);
  fs::remove(folder() / "model/model.onnx");
  EXPECT_EQ(Pack(Compression::kNone).reason(), Reason::kFileNotFound);
  EXPECT_FALSE(fs::exists(packed()));
  EXPECT_EQ(std::distance(fs::directory_iterator(folder()), fs::directory_iterator()), 2);
}

TEST_F(PackTest, AFailedPackKeepsTheArchiveThatWasThere) {
  Write("x.axon", "old");
  fs::remove(folder() / "model/model.onnx");
  EXPECT_FALSE(Pack(Compression::kNone).ok());
  EXPECT_EQ(Read("x.axon"), "old");
}

TEST_F(PackTest, AnArchiveIsWrittenThroughNoLinkLaidInItsWay) {
  const fs::path temporary = packed().string() + ".tmp." + std::to_string(::getpid());
  for (const fs::path& at : {packed(), temporary}) {
    for (const bool symbolic : {true, false}) {
      Write("victim", "untouched");
      symbolic ? fs::create_symlink("victim", at) : fs::create_hard_link(folder() / "victim", at);
      EXPECT_TRUE(Pack(Compression::kNone).ok());
      EXPECT_EQ(Read("victim"), "untouched");
      EXPECT_TRUE(fs::is_regular_file(fs::symlink_status(packed())));
      EXPECT_TRUE(ListArchive(packed()).ok());
      EXPECT_FALSE(fs::exists(fs::symlink_status(temporary)));
      fs::remove(packed());
    }
  }
}

TEST(CompressionOf, ByTheNamesEnd) {
  EXPECT_EQ(CompressionOf("x.axon"), Compression::kNone);
  EXPECT_EQ(CompressionOf("x.axon.gz"), Compression::kGzip);
  EXPECT_EQ(CompressionOf("x.tgz"), Compression::kGzip);
  EXPECT_EQ(CompressionOf("a.b/x.axon.zst"), Compression::kZstd);
}

// Both of them, before any file is unpacked: what `axon info x.axon` shows.
TEST_F(ArchiveTest, AManifestIsReadFromAnywhereInTheArchive) {
  const std::string manifest =
      "apiVersion: v1\nkind: Model\nmetadata: {name: a, namespace: hf, version: latest}\nspec: "
      "{}\n";
  Write("x.axon",
        Compress(TarFile("config.json", "{}") + TarFile("./manifest.yaml", manifest) + TarEnd(),
                 "gzip"));
  const auto parsed = ReadArchivedManifest(packed());
  ASSERT_TRUE(parsed.ok()) << parsed.status();
  EXPECT_EQ(parsed->manifest.metadata.name, "a");
  Write("x.axon", TarFile("config.json", "{}") + TarEnd());
  EXPECT_EQ(ReadArchivedManifest(packed()).status().reason(), Reason::kInvalidPackage);
}

}  // namespace
}  // namespace mlos::package
