// SPDX-License-Identifier: MIT
#include "axon/config/config.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>
#include <thread>
#include <vector>

#include "axon/config/file.h"

namespace axon::config {
namespace {

using mlos::Reason;
using testing::ElementsAre;
using testing::HasSubstr;

class ConfigTest : public testing::Test {
 protected:
  void SetUp() override {
    std::string name = (std::filesystem::temp_directory_path() / "axon_config_XXXXXX").string();
    ASSERT_NE(::mkdtemp(name.data()), nullptr);
    home_ = name;
    for (const Key& key : Keys()) {
      if (!key.variable.empty()) ::unsetenv(std::string(key.variable).c_str());
    }
    ::unsetenv("HF_TOKEN_PATH");
    ::unsetenv("HF_HOME");
    ::setenv("HOME", name.c_str(), 1);
  }
  void TearDown() override { std::filesystem::remove_all(home_); }

  void Write(std::string_view text) {
    std::filesystem::create_directories(home_ / ".axon");
    std::ofstream(home_ / ".axon/config.yaml") << text;
  }
  std::string Read() {
    std::ifstream file(home_ / ".axon/config.yaml");
    return {std::istreambuf_iterator<char>(file), {}};
  }

  std::filesystem::path home_;
};

TEST_F(ConfigTest, DefaultsNeedNoFile) {
  const Config config = Config::Load().value();
  EXPECT_EQ(config.home(), home_ / ".axon");
  EXPECT_EQ(config.cache(), home_ / ".axon/cache");
  EXPECT_EQ(config.Get("registry.huggingface_endpoint").text, "https://huggingface.co");
  EXPECT_EQ(config.Endpoint("core.endpoint").Origin(), "http://localhost:8080");
  EXPECT_EQ(config.Number("download.parallel"), 4);
}

TEST_F(ConfigTest, FlagsWinOverEnvironmentOverFile) {
  Write("download:\n  parallel: 2\ncore:\n  endpoint: http://file:1\n");
  EXPECT_EQ(Config::Load().value().Number("download.parallel"), 2);
  ::setenv("AXON_PARALLEL", "3", 1);
  EXPECT_EQ(Config::Load().value().Number("download.parallel"), 3);
  const Config config = Config::Load({{"download.parallel", "5"}}).value();
  EXPECT_EQ(config.Number("download.parallel"), 5);
  EXPECT_EQ(config.Get("download.parallel").origin, Origin::kFlag);
  EXPECT_EQ(config.Get("core.endpoint").origin, Origin::kFile);
}

TEST_F(ConfigTest, ABlankEndpointIsUnsetAndATrailingSlashGoes) {
  ::setenv("HF_ENDPOINT", "  ", 1);
  EXPECT_EQ(Config::Load().value().Get("registry.huggingface_endpoint").origin, Origin::kDefault);
  ::setenv("HF_ENDPOINT", "https://mirror.example//", 1);
  EXPECT_EQ(Config::Load().value().Get("registry.huggingface_endpoint").text,
            "https://mirror.example");
}

TEST_F(ConfigTest, TheTokenFileIsTheLastResort) {
  std::filesystem::create_directories(home_ / ".cache/huggingface");
  std::ofstream(home_ / ".cache/huggingface/token") << "hf_from_file\n";
  const Config config = Config::Load().value();
  EXPECT_EQ(config.Get("registry.huggingface_token").text, "hf_from_file");
  EXPECT_EQ(config.Get("registry.huggingface_token").origin, Origin::kTokenFile);
  ::setenv("HF_TOKEN", "hf_from_environment", 1);
  EXPECT_EQ(Config::Load().value().Get("registry.huggingface_token").text, "hf_from_environment");
}

TEST_F(ConfigTest, AMalformedTokenIsRefusedAndNotShown) {
  ::setenv("HF_TOKEN", "hf_se cret", 1);
  const mlos::Status status = Config::Load().status();
  EXPECT_EQ(status.reason(), Reason::kInvalidConfig);
  EXPECT_THAT(std::string(status.message()), HasSubstr("HF_TOKEN"));
  EXPECT_THAT(std::string(status.message()), Not(HasSubstr("cret")));
}

TEST_F(ConfigTest, WhatIsWrongIsNamedWithItsPlace) {
  const std::pair<const char*, const char*> cases[] = {
      {"download:\n  parallel: many\n", "file: download.parallel: 'many' is not a whole number"},
      {"download:\n  parallel: 1000\n", "from 1 to 32"},
      {"core:\n  endpoint: ftp://x\n", "core.endpoint: 'ftp://x' is not an http or https address"},
      {"- a\n", "config.yaml line 1"},
      {"a: b: c\n", "config.yaml line 1"},
      {"a: 1\nb: [\n", "config.yaml line"},
  };
  for (const auto& [text, expected] : cases) {
    Write(text);
    const mlos::Status status = Config::Load().status();
    ASSERT_FALSE(status.ok()) << text;
    EXPECT_EQ(status.reason(), Reason::kInvalidConfig) << text;
    EXPECT_THAT(std::string(status.message()), HasSubstr(expected)) << text;
  }
}

TEST_F(ConfigTest, SettingKeepsWhatIsNotOurs) {
  Write("log_level: info\nregistry:\n  mirrors:\n    - http://a\n  enable_huggingface: true\n");
  ASSERT_TRUE(
      SetInConfigFile(home_ / ".axon/config.yaml", "registry.huggingface_token", "hf_x").ok());
  ASSERT_TRUE(SetInConfigFile(home_ / ".axon/config.yaml", "download.parallel", "7").ok());
  const Config config = Config::Load().value();
  EXPECT_EQ(config.Get("registry.huggingface_token").text, "hf_x");
  EXPECT_EQ(config.Number("download.parallel"), 7);
  EXPECT_THAT(Read(), HasSubstr("- http://a"));
  EXPECT_THAT(config.unused(), ElementsAre("log_level", "registry.enable_huggingface"));
  struct stat info{};
  ASSERT_EQ(::stat((home_ / ".axon/config.yaml").c_str(), &info), 0);
  EXPECT_EQ(info.st_mode & 0777, 0600u);
}

TEST_F(ConfigTest, AGroupThatIsAValueIsNotOverwritten) {
  Write("download: fast\n");
  EXPECT_FALSE(SetInConfigFile(home_ / ".axon/config.yaml", "download.parallel", "7").ok());
  EXPECT_EQ(Read(), "download: fast\n");
}

TEST_F(ConfigTest, NoneOfManySettingsMadeAtOnceIsLost) {
  const std::filesystem::path file = home_ / ".axon/config.yaml";
  std::vector<std::thread> setters;
  for (int i = 0; i < 8; ++i) {
    setters.emplace_back([&file, i] {
      for (int round = 0; round < 10; ++round) {
        EXPECT_TRUE(SetInConfigFile(file, "of_others.n" + std::to_string(i), "7").ok());
      }
    });
  }
  for (std::thread& setter : setters) setter.join();
  EXPECT_EQ(ReadConfigFile(file).value().size(), 8u);
}

}  // namespace
}  // namespace axon::config
