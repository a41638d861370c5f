// SPDX-License-Identifier: MIT
#include "package/verify.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>

#include "package/test_folder.h"

namespace mlos::package {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

namespace fs = std::filesystem;

/// A folder with two files and the strict manifest that lists them.
class VerifyTest : public FolderTest {
 protected:
  void SetUp() override {
    FolderTest::SetUp();
    Write("model.onnx", "graph");
    Write("data/weights.bin", "weights");
    manifest_.metadata = {.name = "m", .name_space = "hf", .version = "1"};
    manifest_.format.execution_format = "onnx";
    manifest_.format.files = {{"model.onnx", 5, DigestOf("graph")},
                              {"data/weights.bin", 7, DigestOf("weights")}};
    manifest_.format.execution_files = {{"model.onnx", "onnx", "single"}};
    manifest_.extension = Extension{.generator = "test"};
  }

  /// "path fault" of each problem.
  std::vector<std::string> Problems() const {
    const auto report = VerifyDirectory(folder(), manifest_);
    if (!report.ok()) return {report.status().ToString()};
    EXPECT_EQ(ToStatus(*report).ok(), report->ok());
    std::vector<std::string> problems;
    for (const FileProblem& problem : report->problems) {
      problems.push_back(problem.path + " " + std::string(ToString(problem.fault)));
      EXPECT_EQ(problem.message.find(folder().string()), std::string::npos);
    }
    return problems;
  }

  Manifest manifest_;
};

TEST_F(VerifyTest, UntouchedFilesHaveNoProblems) {
  Write("manifest.yaml", WriteManifest(manifest_));
  Write(".axon_metadata.json", "{}");
  const auto report = VerifyDirectory(folder(), manifest_);
  ASSERT_TRUE(report.ok()) << report.status();
  EXPECT_TRUE(report->ok());
  EXPECT_TRUE(ToStatus(*report).ok());
  EXPECT_THAT(report->files, ElementsAre(FileEntry{"data/weights.bin", 7, DigestOf("weights")},
                                         FileEntry{"model.onnx", 5, DigestOf("graph")}));
}

TEST_F(VerifyTest, AFlippedByteIsFound) {
  Write("data/weights.bin", "weighTs");
  EXPECT_THAT(Problems(), ElementsAre("data/weights.bin digest"));
}

TEST_F(VerifyTest, EveryKindOfChangeIsFoundAndNoneHidesAnother) {
  Write("model.onnx", "graph and more");
  fs::remove(folder() / "data/weights.bin");
  Write("evil.so", "code");
  EXPECT_THAT(Problems(),
              ElementsAre("model.onnx size", "data/weights.bin missing", "evil.so unlisted"));
}

// A sparse file costs nothing to make and half an hour to hash.
TEST_F(VerifyTest, AFileOfAnotherSizeIsNotHashed) {
  fs::resize_file(folder() / "model.onnx", std::uint64_t{1} << 40);
  std::uint64_t hashed_bytes = 0;
  const auto report = VerifyDirectory(folder(), manifest_, [&](std::uint64_t bytes) {
    hashed_bytes += bytes;
    return hashed_bytes < 1000;
  });
  ASSERT_TRUE(report.ok()) << report.status();
  EXPECT_THAT(std::string(ToStatus(*report).message()),
              HasSubstr("'model.onnx': has 1099511627776 bytes, the manifest says 5"));
}

TEST_F(VerifyTest, AListedFileIsNotReachedThroughALink) {
  fs::rename(folder() / "data", folder() / "elsewhere");
  fs::create_directory_symlink("elsewhere", folder() / "data");
  const auto report = VerifyDirectory(folder(), manifest_);
  ASSERT_FALSE(report.ok());
  EXPECT_EQ(report.status().reason(), Reason::kUnsafePath);
}

TEST_F(VerifyTest, AFolderOrPipeInPlaceOfAFileIsUnsafe) {
  fs::remove(folder() / "model.onnx");
  fs::create_directory(folder() / "model.onnx");
  EXPECT_THAT(Problems(), ElementsAre("model.onnx unsafe"));
  fs::remove(folder() / "model.onnx");
  ASSERT_EQ(::mkfifo((folder() / "model.onnx").c_str(), 0600), 0);
  ASSERT_THAT(Problems(), ElementsAre(HasSubstr("UNSAFE_PATH")));
}

TEST_F(VerifyTest, TheExistingToolsPackagesAreTolerated) {
  manifest_.extension.reset();
  manifest_.format.files = {{"pytorch_model.bin", 0, std::nullopt}};
  Write("config.json", "{}");
  const auto report = VerifyDirectory(folder(), manifest_);
  ASSERT_TRUE(report.ok()) << report.status();
  EXPECT_TRUE(report->ok());
  std::vector<std::string> tolerated;
  for (const FileProblem& problem : report->tolerated) tolerated.push_back(problem.path);
  EXPECT_THAT(tolerated,
              ElementsAre("pytorch_model.bin", "model.onnx", "config.json", "data/weights.bin"));
  EXPECT_THAT(report->files, ElementsAre(FileEntry{"model.onnx", 5, DigestOf("graph")}));
}

TEST_F(VerifyTest, WhatALegacyManifestDoesSayIsHeldAgainstTheFiles) {
  manifest_.extension.reset();
  manifest_.format.files = {{"model.onnx", 6, std::nullopt},
                            {"data/weights.bin", 7, DigestOf("other")}};
  manifest_.format.execution_files.push_back({"absent.onnx", "onnx", "decoder"});
  EXPECT_THAT(Problems(),
              ElementsAre("model.onnx size", "data/weights.bin digest", "absent.onnx missing"));
}

TEST_F(VerifyTest, TheStatusNamesTheFirstProblemsAndCountsTheRest) {
  for (int i = 0; i < 5; ++i) Write("extra" + std::to_string(i), "");
  const auto report = VerifyDirectory(folder(), manifest_);
  ASSERT_TRUE(report.ok());
  const Status status = ToStatus(*report);
  EXPECT_EQ(status.reason(), Reason::kChecksumMismatch);
  EXPECT_THAT(std::string(status.message()), HasSubstr("'extra0': is not listed"));
  EXPECT_THAT(std::string(status.message()), HasSubstr("and 2 more"));
}

TEST_F(VerifyTest, CanBeStopped) {
  const auto report = VerifyDirectory(folder(), manifest_, [](std::uint64_t) { return false; });
  ASSERT_FALSE(report.ok());
  EXPECT_EQ(report.status().reason(), Reason::kCancelled);
}

TEST(CombineDigests, DependsOnNamesAndBytesAndNotOnOrder) {
  const FileEntry a{"a", 1, DigestOf("1")};
  const FileEntry b{"b", 1, DigestOf("2")};
  const FileEntry ab[] = {a, b};
  const FileEntry ba[] = {b, a};
  const FileEntry renamed[] = {a, {"c", 1, DigestOf("2")}};
  const FileEntry changed[] = {a, {"b", 1, DigestOf("3")}};
  EXPECT_EQ(CombineDigests(ab), CombineDigests(ba));
  EXPECT_NE(CombineDigests(ab), CombineDigests(renamed));
  EXPECT_NE(CombineDigests(ab), CombineDigests(changed));
  EXPECT_NE(CombineDigests(ab), CombineDigests(std::span(ab, 1)));
  // `sha256sum a | sha256sum` says the same.
  EXPECT_EQ(CombineDigests(std::span(ab, 1)), DigestOf(DigestOf("1").Hex() + "  a\n"));
}

using ListFilesTest = FolderTest;

TEST_F(ListFilesTest, SortedRegularFilesOnly) {
  Write("b", "");
  Write("a/c", "");
  fs::create_directory(folder() / "empty");
  EXPECT_THAT(*ListFiles(folder()), ElementsAre("a/c", "b"));
  fs::create_symlink("b", folder() / "link");
  EXPECT_EQ(ListFiles(folder()).status().reason(), Reason::kUnsafePath);
}

TEST_F(ListFilesTest, HasItsLimits) {
  fs::path deep;
  for (int i = 0; i < 33; ++i) deep /= "d";
  fs::create_directories(folder() / deep);
  EXPECT_EQ(ListFiles(folder()).status().reason(), Reason::kInvalidPackage);
  EXPECT_EQ(ListFiles(folder() / "absent").status().reason(), Reason::kFileNotFound);
}

TEST_F(ListFilesTest, NamesOutsideThePlainOnesAreUnsafe) {
  Write("back\\slash", "");
  EXPECT_EQ(ListFiles(folder()).status().reason(), Reason::kUnsafePath);
}

TEST_F(ListFilesTest, AnEmptyFolderHasNoFiles) { EXPECT_THAT(*ListFiles(folder()), IsEmpty()); }

}  // namespace
}  // namespace mlos::package
