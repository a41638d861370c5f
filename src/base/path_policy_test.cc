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

TEST_F(PathPolicyTest, RefusesWhatIsNoPath) {
  const PathPolicy anywhere = PathPolicy::Anywhere();
  using std::string_literals::operator""s;
  for (const std::string& path : {""s, "a\0b"s, std::string(5000, 'a')}) {
    EXPECT_EQ(anywhere.Resolve(path).status().reason(), Reason::kInvalidField);
  }
}

}  // namespace
}  // namespace mlos
