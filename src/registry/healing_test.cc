// SPDX-License-Identifier: MIT
// What the registry makes of damage: each kind of it, and bytes changed at random.
#include "registry/healing.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sqlite3.h>

#include <cstdlib>
#include <map>
#include <random>
#include <string>
#include <utility>

#include "package/test_folder.h"
#include "registry/disk/seal.h"
#include "registry/registry.h"

namespace mlos::registry {
namespace {

namespace fs = std::filesystem;

using ::testing::Contains;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;

ModelRecord DiverseModel(int number) {
  ModelRecord model;
  model.model_id = "ns/model-" + std::to_string(number);
  model.name = "tab\tnewline\nbackslash\\ \u00fc";
  model.version = "latest";
  model.execution_format = "onnx";
  model.description = std::string(static_cast<std::size_t>(number) * 7, 'd');
  model.path = "/models/" + std::to_string(number) + ".onnx";
  model.served_path = model.path;
  model.plugin_id = "onnx-runtime-builtin";
  model.digest = "sha256:" + std::to_string(number);
  model.verified = number % 2 == 0;
  model.settings.max_batch_size = number + 1;
  model.registered_at = 1'700'000'000 + number;
  return model;
}

class HealingTest : public package::FolderTest {
 protected:
  using Files = std::map<std::string, std::string>;
  struct State {
    std::vector<ModelRecord> models;
    std::vector<PluginRecord> plugins;
    bool operator==(const State&) const = default;
  };

  fs::path file() const { return folder() / "registry.db"; }
  std::unique_ptr<Registry> Open() const { return Registry::Open(file()).value(); }
  static State StateOf(Registry& registry) {
    return {registry.Models().value(), registry.Plugins().value()};
  }
  /// Changes the main file behind the registry's back.
  void Sql(const std::string& sql) const {
    sqlite3* handle = nullptr;
    ASSERT_EQ(sqlite3_open(file().c_str(), &handle), SQLITE_OK);
    ASSERT_EQ(disk::AddSealFunction(handle), SQLITE_OK);
    EXPECT_EQ(sqlite3_exec(handle, sql.c_str(), nullptr, nullptr, nullptr), SQLITE_OK)
        << sqlite3_errmsg(handle);
    sqlite3_close(handle);
  }
  void ReplaceInCopy(const std::string& from, const std::string& to) const {
    std::string text = Read("registry.copy");
    const std::size_t at = text.rfind(from);
    ASSERT_NE(at, std::string::npos);
    text.replace(at, from.size(), to);
    Write("registry.copy", text);
  }
  /// Fills a registry, ends it as a kill does where `killed`, and returns what it held.
  State Fill(bool killed) {
    State state;
    {
      const auto registry = Open();
      for (int i = 0; i < 40; ++i) EXPECT_TRUE(registry->PutModel(DiverseModel(i)).ok());
      for (int i = 0; i < 5; ++i) {
        EXPECT_TRUE(registry->PutPlugin({.plugin_id = "p" + std::to_string(i)}).ok());
        EXPECT_TRUE(registry->PutTrial({"sha256:" + std::to_string(i), "p", "1"}, {}).ok());
      }
    }
    const auto registry = Open();
    for (int i = 0; i < 9; ++i)
      EXPECT_TRUE(registry->RemoveModel(DiverseModel(i * 3).model_id).ok());
    state = StateOf(*registry);
    if (killed) kept_ = ReadFiles();
    return state;
  }
  Files ReadFiles() const {
    Files files;
    for (const char* name : {"registry.db", "registry.db-wal", "registry.copy"}) {
      if (fs::exists(folder() / name)) files[name] = Read(name);
    }
    return files;
  }
  /// Leaves exactly these files.
  void Lay(const Files& files) const {
    for (const fs::directory_entry& entry : fs::directory_iterator(folder()))
      fs::remove(entry.path());
    for (const auto& [name, bytes] : files) Write(name, bytes);
  }
  bool BothSound() const {
    FoundFiles found = FindFiles(file()).value();
    return found.main_findings.sound() && found.copy.findings.sound() &&
           found.main_findings.generation == found.copy.findings.generation;
  }

  Files kept_;  ///< of a killed registry
};

TEST_F(HealingTest, BothFilesSayTheSame) {
  const State state = Fill(false);
  const Copy::Found copy = Copy::Read(folder() / "registry.copy");
  EXPECT_TRUE(copy.findings.sound());
  EXPECT_EQ(StateOf(*Open()), state);
  EXPECT_TRUE(BothSound());
  fs::remove(file());
  EXPECT_EQ(StateOf(*Open()), state) << "from the copy alone";
  fs::remove(folder() / "registry.copy");
  EXPECT_EQ(StateOf(*Open()), state) << "from the main file alone";
  EXPECT_TRUE(BothSound());
}

// A changed byte in a row was taken for true: a model was served under another's id.
TEST_F(HealingTest, ARowThatWasChangedIsNamedAndHealed) {
  const State state = Fill(false);
  Sql("UPDATE models SET path = '/models/8.onnx' WHERE model_id = 'ns/model-7'");
  const FoundFiles found = FindFiles(file()).value();
  EXPECT_THAT(found.main_findings.Describe(), Contains("model 'ns/model-7' is damaged"));
  EXPECT_EQ(StateOf(*Open()), state);
  EXPECT_TRUE(BothSound());
  EXPECT_TRUE(fs::exists(folder() / "registry.db.damaged"));
}

TEST_F(HealingTest, ARowThatIsGoneOrCameBackIsNoticed) {
  const State state = Fill(false);
  const std::string sealed = Read("registry.db");
  for (const char* sql :
       {"DROP TRIGGER model_removed; DELETE FROM models WHERE model_id = 'ns/model-7'",
        "UPDATE seal SET rows = rows + 1", "UPDATE seal SET generation = 1", "DELETE FROM seal",
        "DROP TABLE trials", "UPDATE plugins SET seal = seal + 1"}) {
    Write("registry.db", sealed);
    Sql(sql);
    EXPECT_FALSE(FindFiles(file()).value().main_findings.sound()) << sql;
    EXPECT_EQ(StateOf(*Open()), state) << sql;
    EXPECT_TRUE(BothSound()) << sql;
  }
}

TEST_F(HealingTest, WhatIsDamagedInBothFilesIsQuarantinedAndTheRestServes) {
  State state = Fill(false);
  Sql("UPDATE models SET digest = 'sha256:8' WHERE model_id = 'ns/model-7'");
  ReplaceInCopy("/models/7.onnx", "/models/9.onnx");
  const auto registry = Open();
  for (ModelRecord& model : state.models) {
    if (model.model_id == "ns/model-7") model = {.model_id = "ns/model-7", .quarantined = true};
  }
  EXPECT_EQ(StateOf(*registry), state);
  EXPECT_TRUE(registry->PutModel(DiverseModel(7)).ok()) << "registered again";
  EXPECT_EQ(registry->Models().value(), StateOf(*registry).models);
  EXPECT_TRUE(BothSound());
}

TEST_F(HealingTest, DifferentDamageInBothFilesLosesNothing) {
  const State state = Fill(false);
  Sql("UPDATE models SET digest = 'sha256:8' WHERE model_id = 'ns/model-7'");
  ReplaceInCopy("/models/8.onnx", "/models/9.onnx");
  EXPECT_EQ(StateOf(*Open()), state);
  EXPECT_TRUE(BothSound());
}

TEST_F(HealingTest, OnlyTheCopyIsLeftAndItIsDamaged) {
  State state = Fill(false);
  Write("registry.db", std::string(8192, 'x'));
  ReplaceInCopy("/models/7.onnx", "/models/9.onnx");
  for (ModelRecord& model : state.models) {
    if (model.model_id == "ns/model-7") model = {.model_id = "ns/model-7", .quarantined = true};
  }
  EXPECT_EQ(StateOf(*Open()), state);
}

TEST_F(HealingTest, WithoutAReadableFileItRefuses) {
  Fill(false);
  Write("registry.db", std::string(8192, 'x'));
  Write("registry.copy", std::string(8192, 'x'));
  const Status refused = Registry::Open(file()).status();
  ASSERT_FALSE(refused.ok());
  EXPECT_EQ(refused.reason(), Reason::kStoreCorrupt);
  EXPECT_THAT(refused.message(), HasSubstr("--restore"));
}

// Between the two writes of one change, and behind a lost end of either file.
TEST_F(HealingTest, TheFileWithMoreChangesIsRight) {
  Fill(false);
  const Files before = ReadFiles();
  ASSERT_TRUE(Open()->PutModel(DiverseModel(100)).ok());
  const State after = StateOf(*Open());
  const Files files = ReadFiles();
  Lay({{"registry.db", files.at("registry.db")}, {"registry.copy", before.at("registry.copy")}});
  EXPECT_EQ(StateOf(*Open()), after);
  EXPECT_TRUE(BothSound());
  Lay({{"registry.db", before.at("registry.db")}, {"registry.copy", files.at("registry.copy")}});
  EXPECT_EQ(StateOf(*Open()), after);
  EXPECT_TRUE(BothSound());
  std::string torn = files.at("registry.copy");
  torn.resize(torn.size() - 5);
  Lay({{"registry.db", files.at("registry.db")}, {"registry.copy", torn}});
  EXPECT_EQ(StateOf(*Open()), after);
  EXPECT_TRUE(BothSound());
}

TEST_F(HealingTest, TheJournalAndTheVerdictsOutliveHealing) {
  Fill(false);
  ASSERT_TRUE(Open()->PutTrial({"sha256:x", "p", "1"}, {.passed = true}).ok());
  const std::string model = "ns/model-7";
  ASSERT_TRUE(Open()->BeginLoading(LoadKind::kModel, model, "sha256:7").ok());
  Sql("UPDATE plugins SET path = 'x'");
  const auto registry = Open();
  EXPECT_EQ(registry->FindTrial({"sha256:x", "p", "1"}).value(), Trial{.passed = true});
  for (const ModelRecord& record : registry->Models().value()) {
    EXPECT_EQ(record.quarantined, record.model_id == model) << record.model_id;
  }
}

TEST_F(HealingTest, ADamagedVerdictIsForgottenAndTheRestStays) {
  const State state = Fill(false);
  Sql("UPDATE trials SET passed = 1 WHERE digest = 'sha256:1'");
  const auto registry = Open();
  EXPECT_EQ(registry->FindTrial({"sha256:1", "p", "1"}).value(), std::nullopt);
  EXPECT_EQ(registry->FindTrial({"sha256:2", "p", "1"}).value(), Trial());
  EXPECT_EQ(StateOf(*registry), state);
}

// SQLite passes over the end of a damaged log: the end of a load was lost, and the model was held
// to have killed Core.
TEST_F(HealingTest, ALoadWhoseEndIsLostIsNotHeldAgainstTheModel) {
  State state;
  Files files;
  {
    const auto registry = Open();
    ASSERT_TRUE(registry->PutModel(DiverseModel(1)).ok());
    state = StateOf(*registry);
    ASSERT_TRUE(registry->BeginLoading(LoadKind::kModel, "ns/model-1", "sha256:1").ok());
    ASSERT_TRUE(registry->EndLoading(LoadKind::kModel, "ns/model-1").ok());
    files = ReadFiles();
  }
  Lay(files);
  EXPECT_EQ(StateOf(*Open()), state);
  std::string& log = files.at("registry.db-wal");
  for (const std::size_t from_end : {1, 2000, 4090, 4100, 4108, 4115}) {
    Files changed = files;
    char& byte = changed.at("registry.db-wal")[log.size() - from_end];
    byte = static_cast<char>(byte ^ 0x55);
    Lay(changed);
    EXPECT_TRUE(FindFiles(file()).value().main_findings.log_damaged) << from_end;
    Lay(changed);
    EXPECT_EQ(StateOf(*Open()), state) << from_end;
  }
}

/// One byte changed, anywhere in the files that a Core which ended leaves. Nothing may be lost, and
/// nothing served that was not registered. MLOS_FLIPS of them at each end.
class FlipTest : public HealingTest, public ::testing::WithParamInterface<bool> {};

TEST_P(FlipTest, AnyChangedByteIsHealed) {
  const char* asked = std::getenv("MLOS_FLIPS");
  const int flips = asked == nullptr ? 60 : std::atoi(asked);
  const bool killed = GetParam();
  const State state = Fill(killed);
  const Files files = killed ? kept_ : ReadFiles();
  ASSERT_EQ(files.count("registry.db-wal"), killed ? 1U : 0U);
  std::mt19937 random(20'261'130);
  int damaged = 0;
  for (int flip = 0; flip < flips; ++flip) {
    Files changed = files;
    auto chosen = changed.begin();
    std::advance(chosen, static_cast<long>(random() % changed.size()));
    std::string& bytes = chosen->second;
    const std::size_t at = random() % bytes.size();
    bytes[at] = static_cast<char>(bytes[at] ^ static_cast<char>(1 + random() % 255));
    Lay(changed);
    SCOPED_TRACE(chosen->first + " at " + std::to_string(at));
    const auto registry = Registry::Open(file());
    ASSERT_TRUE(registry.ok()) << registry.status();
    ASSERT_EQ(StateOf(**registry), state);
    damaged += fs::exists(folder() / "registry.db.damaged") ? 1 : 0;
    ASSERT_TRUE((*registry)->PutModel(DiverseModel(0)).ok());
  }
  EXPECT_GT(damaged, 0) << "no flip hit anything";
}

INSTANTIATE_TEST_SUITE_P(Ended, FlipTest, ::testing::Bool(),
                         [](const auto& end) { return end.param ? "Killed" : "InOrder"; });

}  // namespace
}  // namespace mlos::registry
