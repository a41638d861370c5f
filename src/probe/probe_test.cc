// SPDX-License-Identifier: MIT
#include "probe/probe.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <stdlib.h>

#include <filesystem>
#include <fstream>
#include <string>

#include "probe/sanitizers.h"

namespace mlos::probe {
namespace {

using ::testing::HasSubstr;

class ProbeTest : public ::testing::Test {
 protected:
  void SetUp() override {
    std::string name = (std::filesystem::temp_directory_path() / "mlos_probe_XXXXXX").string();
    ASSERT_NE(::mkdtemp(name.data()), nullptr);
    folder_ = name;
  }
  void TearDown() override { std::filesystem::remove_all(folder_); }

  /// Tries a model of the acting plugin with this text.
  Result<Verdict> TryModel(const std::string& text, std::int64_t timeout_ms = 60'000) const {
    std::ofstream(folder_ / "model") << text;
    Request request;
    request.plugin_path = MLOS_TEST_PLUGIN;
    request.plugin_id = "acting";
    request.source = {"m", folder_ / "model", "acting", "sha256:00", ""};
    request.memory_bytes_max = std::uint64_t{4} << 30;
    request.cpu_seconds_max = 60;
    return Try({.path = MLOS_TEST_PROBE, .timeout_ms = timeout_ms}, request);
  }

 private:
  std::filesystem::path folder_;
};

TEST_F(ProbeTest, AModelThatLoadsPassesForGood) {
  const Verdict verdict = TryModel("2.5").value();
  EXPECT_TRUE(verdict.status.ok()) << verdict.status;
  EXPECT_TRUE(verdict.lasting);
}

TEST_F(ProbeTest, WhatThePluginPrintsIsNotTakenForTheAnswer) {
  const Verdict verdict = TryModel("noisy").value();
  EXPECT_TRUE(verdict.status.ok()) << verdict.status;
}

TEST_F(ProbeTest, ACrashIsTheModelsFaultForGood) {
  for (const char* act : {"crash", "exit"}) {
    const Verdict verdict = TryModel(act).value();
    ASSERT_FALSE(verdict.status.ok()) << act;
    EXPECT_EQ(verdict.status.reason(), Reason::kInvalidModel);
    EXPECT_EQ(verdict.status.field(), "path");
    EXPECT_THAT(std::string(verdict.status.message()), HasSubstr("crashed in its trial load"));
    EXPECT_TRUE(verdict.lasting);
  }
}

TEST_F(ProbeTest, AHangIsEndedAndMayBeTriedAgain) {
  const Verdict verdict = TryModel("hang", 500).value();
  ASSERT_FALSE(verdict.status.ok());
  EXPECT_EQ(verdict.status.reason(), Reason::kInvalidModel);
  EXPECT_THAT(std::string(verdict.status.message()), HasSubstr("500 ms"));
  EXPECT_FALSE(verdict.lasting);
}

TEST_F(ProbeTest, WantOfMemoryIsTheModelsFaultAsWell) {
  if (kShadowedMemory) GTEST_SKIP() << "a sanitizer needs the address space to be unlimited";
  const Verdict verdict = TryModel("bomb").value();
  ASSERT_FALSE(verdict.status.ok());
  EXPECT_EQ(verdict.status.reason(), Reason::kInvalidModel);
  EXPECT_FALSE(verdict.lasting);
}

TEST_F(ProbeTest, TheChildDoesNotSeeWhatItDoesNotNeed) {
  ::setenv("HF_TOKEN", "hf_secret", 1);
  ::setenv("SMI_ACTING", "1", 1);
  const Verdict verdict = TryModel("blind").value();
  EXPECT_TRUE(verdict.status.ok()) << verdict.status;
  ::unsetenv("HF_TOKEN");
  ::unsetenv("SMI_ACTING");
}

TEST_F(ProbeTest, WhatTheEngineSaysComesThrough) {
  const Verdict verdict = TryModel("refuse").value();
  ASSERT_FALSE(verdict.status.ok());
  EXPECT_EQ(verdict.status.reason(), Reason::kInvalidModel);
  EXPECT_FALSE(verdict.lasting);
}

TEST_F(ProbeTest, AProgramThatCannotBeStartedIsNotTheModelsFault) {
  EXPECT_FALSE(Try({.path = "/nonexistent", .timeout_ms = 1000}, {}).ok());
}

}  // namespace
}  // namespace mlos::probe
