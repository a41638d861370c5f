// SPDX-License-Identifier: MIT
#include "registry/registry.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sqlite3.h>

#include <fstream>
#include <string>

#include "package/test_folder.h"
#include "registry/disk/seal.h"

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
  model.settings.preferred_batch_size = 4;
  model.settings.max_queue_delay_us = 0;
  model.settings.state_pairs = {{"h", "hn"}, {"it's", "\u00fc"}};
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
  /// Changes the main file behind the registry's back.
  void Sql(const char* sql) const {
    sqlite3* handle = nullptr;
    ASSERT_EQ(sqlite3_open((folder() / "registry.db").c_str(), &handle), SQLITE_OK);
    ASSERT_EQ(disk::AddSealFunction(handle), SQLITE_OK);
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
    ASSERT_TRUE(registry->PutPlugin(Plugin("plugin")).ok());
    ASSERT_TRUE(registry->BeginLoading(LoadKind::kModel, "survivor", "sha256:00").ok());
    ASSERT_TRUE(registry->EndLoading(LoadKind::kModel, "survivor").ok());
    ASSERT_TRUE(registry->BeginLoading(LoadKind::kModel, "killer", "sha256:0a").ok());
    ASSERT_TRUE(registry->BeginLoading(LoadKind::kPlugin, "plugin", "/plugins/a.so").ok());
  }
  for (int restart = 0; restart < 2; ++restart) {
    const auto registry = Open();
    const std::vector<ModelRecord> models = registry->Models().value();
    ASSERT_EQ(models.size(), 2U);
    EXPECT_TRUE(models[0].quarantined) << models[0].model_id;
    EXPECT_FALSE(models[1].quarantined) << models[1].model_id;
    EXPECT_THAT(registry->suspects(), ::testing::IsEmpty());
    EXPECT_TRUE(registry->Plugins().value()[0].quarantined);
  }
}

TEST_F(RegistryTest, AnotherVersionThatWasBeingLoadedIsNotHeldAgainstTheRegisteredOne) {
  {
    const auto registry = Open();
    ASSERT_TRUE(registry->PutModel(Model("renewed", "sha256:0b")).ok());
    ASSERT_TRUE(registry->BeginLoading(LoadKind::kModel, "renewed", "sha256:0c").ok());
  }
  EXPECT_FALSE(Open()->Models().value()[0].quarantined);
}

TEST_F(RegistryTest, OfSeveralThatWereBeingLoadedNoneIsQuarantined) {
  {
    const auto registry = Open();
    ASSERT_TRUE(registry->PutModel(Model("a", "sha256:0a")).ok());
    ASSERT_TRUE(registry->PutModel(Model("b", "sha256:0b")).ok());
    ASSERT_TRUE(registry->PutModel(Model("c", "sha256:0c")).ok());
    ASSERT_TRUE(registry->BeginLoading(LoadKind::kModel, "a", "sha256:0a").ok());
    ASSERT_TRUE(registry->BeginLoading(LoadKind::kModel, "b", "sha256:0b").ok());
  }
  const auto registry = Open();
  for (const ModelRecord& model : registry->Models().value()) EXPECT_FALSE(model.quarantined);
  EXPECT_THAT(registry->suspects(), ::testing::ElementsAre("a", "b"));
}

TEST_F(RegistryTest, WhatAPowerCutInterruptedIsNotQuarantined) {
  for (const bool power_cut : {true, false}) {
    {
      const auto registry = Open();
      ASSERT_TRUE(registry->PutModel(Model("m", "sha256:0a")).ok());
      ASSERT_TRUE(registry->BeginLoading(LoadKind::kModel, "m", "sha256:0a").ok());
    }
    if (power_cut)
      Sql("UPDATE loading SET boot = 'x', seal = seal_of('loading', kind, id, content, 'x')");
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

/// The registry as MLOS wrote it when each setting had a column or a table of its own.
constexpr const char* kRegistryOfVersion4 = R"sql(
CREATE TABLE models (
  model_id TEXT PRIMARY KEY, name TEXT NOT NULL, version TEXT NOT NULL, framework TEXT NOT NULL,
  execution_format TEXT NOT NULL, description TEXT NOT NULL, path TEXT NOT NULL,
  served_path TEXT NOT NULL, manifest_path TEXT NOT NULL, plugin_id TEXT NOT NULL,
  digest TEXT NOT NULL, verified INTEGER NOT NULL CHECK (verified IN (0, 1)),
  autoload INTEGER NOT NULL CHECK (autoload IN (0, 1)),
  quarantined INTEGER NOT NULL CHECK (quarantined IN (0, 1)), registered_at INTEGER NOT NULL
) STRICT;
CREATE TABLE plugins (
  plugin_id TEXT PRIMARY KEY, name TEXT NOT NULL, version TEXT NOT NULL, path TEXT NOT NULL,
  config TEXT NOT NULL, quarantined INTEGER NOT NULL CHECK (quarantined IN (0, 1)),
  registered_at INTEGER NOT NULL
) STRICT;
CREATE TABLE loading (
  kind TEXT NOT NULL CHECK (kind IN ('model', 'plugin')), id TEXT NOT NULL, content TEXT NOT NULL,
  PRIMARY KEY (kind, id)
) STRICT, WITHOUT ROWID;
CREATE TABLE trials (
  number INTEGER PRIMARY KEY, digest TEXT NOT NULL, plugin_id TEXT NOT NULL,
  plugin_version TEXT NOT NULL, passed INTEGER NOT NULL CHECK (passed IN (0, 1)),
  message TEXT NOT NULL, UNIQUE (digest, plugin_id, plugin_version)
) STRICT;
ALTER TABLE models ADD COLUMN max_batch_size INTEGER NOT NULL DEFAULT 0;
ALTER TABLE models ADD COLUMN preferred_batch_size INTEGER NOT NULL DEFAULT 0;
ALTER TABLE models ADD COLUMN max_queue_delay_us INTEGER NOT NULL DEFAULT -1;
ALTER TABLE loading ADD COLUMN boot TEXT NOT NULL DEFAULT '';
CREATE TABLE state_pairs (
  model_id TEXT NOT NULL, input TEXT NOT NULL, output TEXT NOT NULL, PRIMARY KEY (model_id, input)
) STRICT, WITHOUT ROWID;
INSERT INTO models VALUES
  ('hf/set@1', 'a model', 'latest', 'PyTorch', 'onnx', 'quotes '' and " and ü', '/models/a.axon',
   '/state/packages/a', '/models/manifest.yaml', 'onnx-runtime-builtin', 'sha256:00', 1, 0, 0,
   1700000000, 0, 4, 0),
  ('unset', 'a model', 'latest', 'PyTorch', 'onnx', '', '/m.onnx', '/m.onnx', '', 'p', 'sha256:01',
   0, 1, 0, 7, 0, 0, -1);
INSERT INTO state_pairs VALUES ('hf/set@1', 'h', 'hn'), ('hf/set@1', 'it''s', 'ü');
INSERT INTO plugins VALUES ('p', 'a plugin', '1.0.0', '/plugins/a.so', '{"threads":2}', 0, 7);
INSERT INTO trials VALUES (1, 'sha256:00', 'p', '1', 1, '');
PRAGMA application_id = 1296846675;
PRAGMA user_version = 4;
)sql";

TEST_F(RegistryTest, ARegistryOfTheVersionBeforeKeepsItsModelsAndTheirSettings) {
  Sql(kRegistryOfVersion4);
  for (int restart = 0; restart < 2; ++restart) {
    const auto registry = Open();
    const std::vector<ModelRecord> models = registry->Models().value();
    ASSERT_EQ(models.size(), 2U);
    EXPECT_EQ(models[0], Model("hf/set@1"));
    EXPECT_EQ(models[1].settings, settings::ModelSettings());
    EXPECT_EQ(models[1].registered_at, 7);
    EXPECT_THAT(registry->Plugins().value(), ElementsAre(Plugin("p")));
    EXPECT_EQ(registry->FindTrial({"sha256:00", "p", "1"}).value(), Trial{.passed = true});
    ASSERT_TRUE(registry->PutModel(models[0]).ok());
  }
}

TEST_F(RegistryTest, AFileThatIsNoDatabaseIsReported) {
  Write("registry.db", std::string(8192, 'x'));
  EXPECT_EQ(OpenStatus().reason(), Reason::kStoreCorrupt);
  EXPECT_THAT(OpenStatus().message(), HasSubstr("damaged"));
}

TEST_F(RegistryTest, AnotherProgramsDatabaseIsLeftAlone) {
  Sql("CREATE TABLE theirs (x)");
  EXPECT_EQ(OpenStatus().reason(), Reason::kStoreCorrupt);
  EXPECT_THAT(OpenStatus().message(), HasSubstr("another program"));
}

TEST_F(RegistryTest, ANewerVersionsFileIsRefused) {
  Sql("PRAGMA user_version = 99; CREATE TABLE models (x); PRAGMA application_id = 1296846675");
  EXPECT_EQ(OpenStatus().reason(), Reason::kUnimplemented);
  EXPECT_THAT(OpenStatus().message(), HasSubstr("99"));
}

}  // namespace
}  // namespace mlos::registry
