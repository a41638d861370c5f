// SPDX-License-Identifier: MIT
#include "base/path_policy.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <stdlib.h>

#include <fstream>

namespace mlos {
namespace {

namespace fs = std::filesystem;
using ::testing::HasSubstr;
using ::testing::Not;

/// allowed/model.onnx, allowed/link → ../outside/secret, outside/secret.
class PathPolicyTest : public ::testing::Test {
 protected:
  void SetUp() override {
    std::string name = (fs::temp_directory_path() / "mlos_paths_XXXXXX").string();
    ASSERT_NE(::mkdtemp(name.data()), nullptr);
    folder_ = fs::canonical(name);
    fs::create_directories(folder_ / "allowed");
    fs::create_directories(folder_ / "allowed-not");
    fs::create_directories(folder_ / "outside");
    std::ofstream(folder_ / "allowed/model.onnx") << "x";
    std::ofstream(folder_ / "outside/secret") << "x";
    fs::create_symlink("../outside/secret", folder_ / "allowed/link");
    fs::create_symlink("allowed", folder_ / "alias");
  }
  void TearDown() override { fs::remove_all(folder_); }

  Result<fs::path> Below(const std::string& path) const {
    return PathPolicy::Below({folder_ / "allowed"}).Resolve((folder_ / path).native());
  }
  fs::path folder_;
};

TEST_F(PathPolicyTest, AllowsWhatLiesBelow) {
  EXPECT_EQ(Below("allowed/model.onnx").value(), folder_ / "allowed/model.onnx");
  EXPECT_EQ(Below("allowed").value(), folder_ / "allowed");
  EXPECT_EQ(Below("alias/model.onnx").value(), folder_ / "allowed/model.onnx");
  EXPECT_EQ(Below("outside/../allowed/model.onnx").value(), folder_ / "allowed/model.onnx");
}

TEST_F(PathPolicyTest, RefusesWhatLiesElsewhereHoweverItIsWritten) {
  for (const char* path : {"outside/secret", "allowed/../outside/secret", "allowed/link",
                           "allowed-not", ".", "outside/missing"}) {
    const Result<fs::path> resolved = Below(path);
    ASSERT_FALSE(resolved.ok()) << path;
    EXPECT_EQ(resolved.status().reason(), Reason::kPathNotAllowed) << path;
    EXPECT_THAT(std::string(resolved.status().message()), Not(HasSubstr("/"))) << path;
  }
}

TEST_F(PathPolicyTest, WhatIsMissingInsideIsMissing) {
  EXPECT_EQ(Below("allowed/none").status().reason(), Reason::kFileNotFound);
}

TEST_F(PathPolicyTest, NoFolderAllowsNothingAndAnywhereEverything) {
  const std::string secret = (folder_ / "outside/secret").native();
  EXPECT_EQ(PathPolicy::Below({}).Resolve(secret).status().reason(), Reason::kPathNotAllowed);
  EXPECT_EQ(PathPolicy::Anywhere().Resolve(secret).value(), secret);
  EXPECT_EQ(PathPolicy::Anywhere().Resolve("/nonexistent").status().reason(),
            Reason::kFileNotFound);
}

TEST_F(PathPolicyTest, WhatIsTheKernelsIsNoFileAnywhere) {
  fs::create_symlink("/proc/self/mem", folder_ / "link");
  for (const std::string& path : {std::string("/proc/self/mem"), std::string("/proc"),
                                  std::string("/proc/version"), (folder_ / "link").native()}) {
    const Result<fs::path> resolved = PathPolicy::Anywhere().Resolve(path);
    EXPECT_EQ(resolved.status().reason(), Reason::kPathNotAllowed) << path;
  }
}

TEST_F(PathPolicyTest, LinksLeadWithinTheFolder) {
  fs::create_directories(folder_ / "allowed/deep");
  fs::create_symlink("../model.onnx", folder_ / "allowed/deep/in");
  fs::create_directory_symlink("deep", folder_ / "allowed/folder");
  fs::create_symlink("/etc/passwd", folder_ / "allowed/passwd");
  fs::create_symlink("/proc/self/mem", folder_ / "allowed/memory");
  fs::create_symlink("/dev/zero", folder_ / "allowed/device");
  fs::create_symlink("none", folder_ / "allowed/dangling");
  const PathPolicy anywhere = PathPolicy::Anywhere();
  const auto reason = [&](const char* file) {
    return anywhere.Open(folder_ / "allowed", file).status().reason();
  };
  for (const char* file : {"model.onnx", "deep/in", "folder/in"}) {
    EXPECT_TRUE(anywhere.Open(folder_ / "allowed", file).ok()) << file;
  }
  for (const char* file : {"link", "passwd", "memory", "device", "../outside/secret"}) {
    EXPECT_EQ(reason(file), Reason::kUnsafePath) << file;
  }
  EXPECT_EQ(reason("dangling"), Reason::kFileNotFound);
}

TEST_F(PathPolicyTest, LinksLeadIntoFoldersThatAreNamed) {
  const PathPolicy one = PathPolicy::Below({folder_ / "allowed"});
  const PathPolicy both = PathPolicy::Below({folder_ / "allowed", folder_ / "outside"});
  EXPECT_EQ(one.Open(folder_ / "allowed", "link").status().reason(), Reason::kUnsafePath);
  EXPECT_TRUE(both.Open(folder_ / "allowed", "link").ok());
}

TEST_F(PathPolicyTest, AFolderThatWasExchangedForALinkLeadsNowhere) {
  const fs::path resolved = Below("allowed").value();
  fs::rename(resolved, folder_ / "moved");
  fs::create_directory_symlink("outside", resolved);
  const PathPolicy policy = PathPolicy::Below({folder_ / "named", folder_ / "allowed-not"});
  EXPECT_EQ(policy.Open(resolved, "secret").status().reason(), Reason::kUnsafePath);
}

TEST_F(PathPolicyTest, ASnapshotOfAHubsCacheLeadsToItsBlobs) {
  for (const char* repository : {"models--a", "models--b"}) {
    fs::create_directories(folder_ / repository / "blobs");
    fs::create_directories(folder_ / repository / "snapshots/0123");
    std::ofstream(folder_ / repository / "blobs/digest") << "x";
  }
  const fs::path snapshot = folder_ / "models--a/snapshots/0123";
  fs::create_symlink("../../blobs/digest", snapshot / "model.onnx");
  fs::create_symlink("../../../models--b/blobs/digest", snapshot / "other.onnx");
  const PathPolicy anywhere = PathPolicy::Anywhere();
  EXPECT_EQ(anywhere.Resolve((snapshot / "model.onnx").native()).value(), snapshot / "model.onnx");
  EXPECT_EQ(anywhere.Resolve((snapshot / "other.onnx").native()).value(),
            folder_ / "models--b/blobs/digest");
  EXPECT_TRUE(anywhere.Open(snapshot, "model.onnx").ok());
  EXPECT_EQ(anywhere.Open(snapshot, "other.onnx").status().reason(), Reason::kUnsafePath);
  const PathPolicy below = PathPolicy::Below({folder_ / "models--a"});
  EXPECT_TRUE(below.Open(snapshot, "model.onnx").ok());
  EXPECT_EQ(PathPolicy::Below({snapshot}).Open(snapshot, "model.onnx").status().reason(),
            Reason::kUnsafePath);
}

TEST_F(PathPolicyTest, RefusesWhatIsNoPath) {
  const PathPolicy anywhere = PathPolicy::Anywhere();
  using std::string_literals::operator""s;
  for (const std::string& path : {""s, "a\0b"s, std::string(5000, 'a')}) {
    EXPECT_EQ(anywhere.Resolve(path).status().reason(), Reason::kInvalidField);
  }
}

}  // namespace
}  // namespace mlos
