// SPDX-License-Identifier: MIT
#include "registry/registry.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sqlite3.h>

#include <fstream>
#include <string>

#include "package/test_folder.h"

namespace mlos::registry {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

ModelRecord Model(std::string id, std::string digest = "sha256:00") {
  ModelRecord model;
  model.model_id = std::move(id);
  model.name = "a model";
  model.version = "latest";
  model.framework = "PyTorch";
  model.execution_format = "onnx";
  model.description = "quotes ' and \" and \u00fc";
  model.path = "/models/a.axon";
  model.served_path = "/state/packages/a";
  model.manifest_path = "/models/manifest.yaml";
  model.plugin_id = "onnx-runtime-builtin";
  model.digest = std::move(digest);
  model.verified = true;
  model.autoload = false;
  model.state_pairs = {{"h", "hn"}, {"it's", "\u00fc"}};
  model.registered_at = 1'700'000'000;
  return model;
}

PluginRecord Plugin(std::string id) {
  PluginRecord plugin;
  plugin.plugin_id = std::move(id);
  plugin.name = "a plugin";
  plugin.version = "1.0.0";
  plugin.path = "/plugins/a.so";
  plugin.config = R"({"threads":2})";
  plugin.registered_at = 7;
  return plugin;
}

class RegistryTest : public package::FolderTest {
 protected:
  std::unique_ptr<Registry> Open(const RegistryLimits& limits = {}) const {
    return Registry::Open(folder() / "registry.db", limits).value();
  }
  Status OpenStatus() const { return Registry::Open(folder() / "registry.db").status(); }
  /// Changes the file behind the registry's back.
  void Sql(const char* sql) const {
    sqlite3* handle = nullptr;
    ASSERT_EQ(sqlite3_open((folder() / "registry.db").c_str(), &handle), SQLITE_OK);
    EXPECT_EQ(sqlite3_exec(handle, sql, nullptr, nullptr, nullptr), SQLITE_OK);
    sqlite3_close(handle);
  }
};

TEST_F(RegistryTest, StartsEmpty) {
  EXPECT_THAT(Open()->Models().value(), IsEmpty());
  EXPECT_THAT(Open()->Plugins().value(), IsEmpty());
}

TEST_F(RegistryTest, EveryFieldComesBackAfterARestart) {
  ASSERT_TRUE(Open()->PutModel(Model("hf/b@latest")).ok());
  ASSERT_TRUE(Open()->PutModel(Model("a")).ok());
  ASSERT_TRUE(Open()->PutPlugin(Plugin("z")).ok());
  ASSERT_TRUE(Open()->PutPlugin(Plugin("b")).ok());
  EXPECT_THAT(Open()->Models().value(), ElementsAre(Model("a"), Model("hf/b@latest")));
  EXPECT_THAT(Open()->Plugins().value(), ElementsAre(Plugin("z"), Plugin("b")));
}

TEST_F(RegistryTest, PutReplacesAndAPluginKeepsItsPlace) {
  const auto registry = Open();
  ASSERT_TRUE(registry->PutModel(Model("a", "sha256:01")).ok());
  ASSERT_TRUE(registry->PutModel(Model("a", "sha256:02")).ok());
  EXPECT_THAT(registry->Models().value(), ElementsAre(Model("a", "sha256:02")));
  PluginRecord first = Plugin("first");
  ASSERT_TRUE(registry->PutPlugin(first).ok());
  ASSERT_TRUE(registry->PutPlugin(Plugin("second")).ok());
  first.path = "/plugins/other.so";
  ASSERT_TRUE(registry->PutPlugin(first).ok());
  EXPECT_THAT(registry->Plugins().value(), ElementsAre(first, Plugin("second")));
}

TEST_F(RegistryTest, RemovesWhatIsThereAndSaysWhenNothingIs) {
  const auto registry = Open();
  ASSERT_TRUE(registry->PutModel(Model("a")).ok());
  ASSERT_TRUE(registry->PutPlugin(Plugin("p")).ok());
  EXPECT_TRUE(registry->RemoveModel("a").ok());
  EXPECT_TRUE(registry->RemovePlugin("p").ok());
  EXPECT_EQ(registry->RemoveModel("a").reason(), Reason::kModelNotFound);
  EXPECT_EQ(registry->RemovePlugin("p").reason(), Reason::kPluginNotFound);
  EXPECT_THAT(Open()->Models().value(), IsEmpty());
}

TEST_F(RegistryTest, RefusesOneMoreThanTheLimitButReplacesAtIt) {
  const auto registry = Open({.models_max = 2, .plugins_max = 1});
  ASSERT_TRUE(registry->PutModel(Model("a")).ok());
  ASSERT_TRUE(registry->PutModel(Model("b")).ok());
  EXPECT_EQ(registry->PutModel(Model("c")).reason(), Reason::kOverloaded);
  EXPECT_TRUE(registry->PutModel(Model("b", "sha256:02")).ok());
  ASSERT_TRUE(registry->PutPlugin(Plugin("p")).ok());
  EXPECT_EQ(registry->PutPlugin(Plugin("q")).reason(), Reason::kOverloaded);
  EXPECT_EQ(registry->Models().value().size(), 2U);
}

TEST_F(RegistryTest, WhatWasBeingLoadedWhenItDiedIsQuarantined) {
  {
    const auto registry = Open();
    ASSERT_TRUE(registry->PutModel(Model("survivor")).ok());
    ASSERT_TRUE(registry->PutModel(Model("killer", "sha256:0a")).ok());
    ASSERT_TRUE(registry->PutModel(Model("renewed", "sha256:0b")).ok());
    ASSERT_TRUE(registry->PutPlugin(Plugin("plugin")).ok());
    ASSERT_TRUE(registry->BeginLoading(LoadKind::kModel, "survivor", "sha256:00").ok());
    ASSERT_TRUE(registry->EndLoading(LoadKind::kModel, "survivor").ok());
    ASSERT_TRUE(registry->BeginLoading(LoadKind::kModel, "killer", "sha256:0a").ok());
    ASSERT_TRUE(registry->BeginLoading(LoadKind::kModel, "renewed", "sha256:0c").ok());
    ASSERT_TRUE(registry->BeginLoading(LoadKind::kPlugin, "plugin", "/plugins/a.so").ok());
  }
  for (int restart = 0; restart < 2; ++restart) {
    const auto registry = Open();
    const std::vector<ModelRecord> models = registry->Models().value();
    ASSERT_EQ(models.size(), 3U);
    EXPECT_TRUE(models[0].quarantined) << models[0].model_id;
    EXPECT_FALSE(models[1].quarantined) << "the registered version was not the one that killed";
    EXPECT_FALSE(models[2].quarantined) << models[2].model_id;
    EXPECT_TRUE(registry->Plugins().value()[0].quarantined);
  }
}

TEST_F(RegistryTest, WhatAPowerCutInterruptedIsNotQuarantined) {
  for (const bool power_cut : {true, false}) {
    {
      const auto registry = Open();
      ASSERT_TRUE(registry->PutModel(Model("m", "sha256:0a")).ok());
      ASSERT_TRUE(registry->BeginLoading(LoadKind::kModel, "m", "sha256:0a").ok());
    }
    if (power_cut) Sql("UPDATE loading SET boot = '00000000-0000-0000-0000-000000000000'");
    EXPECT_EQ(Open()->Models().value()[0].quarantined, !power_cut);
  }
}

TEST_F(RegistryTest, RemembersVerdictsByDigestAndPluginVersion) {
  const auto registry = Open({.trials_max = 2});
  const TrialKey key = {"sha256:01", "onnx", "1"};
  EXPECT_EQ(registry->FindTrial(key).value(), std::nullopt);
  ASSERT_TRUE(registry->PutTrial(key, {.passed = false, .message = "crashed"}).ok());
  EXPECT_EQ(registry->FindTrial(key).value(), (Trial{.passed = false, .message = "crashed"}));
  EXPECT_EQ(registry->FindTrial({"sha256:01", "onnx", "2"}).value(), std::nullopt);
  ASSERT_TRUE(registry->PutTrial(key, {.passed = true}).ok());
  EXPECT_EQ(registry->FindTrial(key).value(), Trial{.passed = true});
  ASSERT_TRUE(registry->PutTrial({"sha256:02", "onnx", "1"}, {.passed = true}).ok());
  ASSERT_TRUE(registry->PutTrial({"sha256:03", "onnx", "1"}, {.passed = true}).ok());
  EXPECT_EQ(registry->FindTrial(key).value(), std::nullopt) << "the oldest goes first";
}

TEST_F(RegistryTest, AFileThatIsNoDatabaseIsReported) {
  Write("registry.db", std::string(8192, 'x'));
  EXPECT_EQ(OpenStatus().reason(), Reason::kStoreCorrupt);
  EXPECT_THAT(OpenStatus().message(), HasSubstr("damaged"));
}

TEST_F(RegistryTest, AFlippedPageIsFoundWhenOpening) {
  {
    const auto registry = Open();
    for (int i = 0; i < 100; ++i) {
      ASSERT_TRUE(registry->PutModel(Model("model-" + std::to_string(i))).ok());
    }
  }
  std::string bytes = Read("registry.db");
  ASSERT_GT(bytes.size(), 16'384U);
  for (std::size_t i = 8192; i < 8200; ++i) bytes[i] = '\x55';
  Write("registry.db", bytes);
  EXPECT_EQ(OpenStatus().reason(), Reason::kStoreCorrupt);
}

TEST_F(RegistryTest, AnotherProgramsDatabaseIsLeftAlone) {
  Sql("CREATE TABLE theirs (x)");
  EXPECT_EQ(OpenStatus().reason(), Reason::kStoreCorrupt);
  EXPECT_THAT(OpenStatus().message(), HasSubstr("another program"));
}

TEST_F(RegistryTest, ANewerVersionsFileIsRefused) {
  ASSERT_TRUE(OpenStatus().ok());
  Sql("PRAGMA user_version = 99");
  EXPECT_EQ(OpenStatus().reason(), Reason::kUnimplemented);
  EXPECT_THAT(OpenStatus().message(), HasSubstr("99"));
}

}  // namespace
}  // namespace mlos::registry
