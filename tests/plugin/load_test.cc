// SPDX-License-Identifier: MIT
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <fstream>

#include "tests/plugin/support.h"

namespace mlos::plugin {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

class Refused : public ::testing::TestWithParam<Refusal> {};

TEST_P(Refused, NamesWhatDiffers) {
  const auto engine = LoadPlugin(Fixture(GetParam().file));
  ASSERT_FALSE(engine.ok());
  EXPECT_EQ(engine.status().reason(), GetParam().reason);
  EXPECT_THAT(std::string(engine.status().message()), HasSubstr(GetParam().says));
  EXPECT_FALSE(IsMapped(GetParam().file + std::string(".so")));
}

INSTANTIATE_TEST_SUITE_P(
    Table, Refused,
    ::testing::Values(
        Refusal{"wrong_major", Reason::kPluginIncompatible, "smi_version is 2.0.0"},
        Refusal{"newer_minor", Reason::kPluginIncompatible, "smi_version is 1.1.0"},
        Refusal{"bad_id", Reason::kPluginIncompatible, "plugin_id is not of the form"},
        Refusal{"no_id", Reason::kPluginIncompatible, "plugin_id is NULL"},
        Refusal{"short_struct", Reason::kPluginIncompatible, "struct_size is 100"},
        Refusal{"no_initialize", Reason::kPluginIncompatible, "interface.initialize is NULL"},
        Refusal{"no_register", Reason::kPluginIncompatible, "interface.register_model is NULL"},
        Refusal{"no_inference", Reason::kPluginIncompatible, "interface.inference is NULL"},
        Refusal{"reserved", Reason::kPluginIncompatible, "interface.reserved"},
        Refusal{"no_symbol", Reason::kPluginIncompatible, "smi_plugin_init is not exported"},
        Refusal{"null_plugin", Reason::kPluginFailed, "smi_plugin_init refused"},
        Refusal{"failing", Reason::kPluginFailed, "no licence in (file)"}),
    [](const auto& info) { return std::string(info.param.file); });

/// A copy of a plugin that the test may spoil.
class PluginFile : public ::testing::Test {
 protected:
  PluginFile() {
    folder_ =
        std::filesystem::path(::testing::TempDir()) / ("mlos-plugin-" + std::to_string(::getpid()));
    std::filesystem::create_directories(folder_);
    file_ = folder_ / "fine.so";
    std::filesystem::copy_file(Fixture("fine"), file_,
                               std::filesystem::copy_options::overwrite_existing);
    using std::filesystem::perms;
    std::filesystem::permissions(file_, perms::owner_all | perms::group_read | perms::others_read);
  }
  ~PluginFile() override { std::filesystem::remove_all(folder_); }

  void Allow(const std::filesystem::path& path, std::filesystem::perms more) {
    std::filesystem::permissions(path, more, std::filesystem::perm_options::add);
  }

  std::filesystem::path folder_;
  std::filesystem::path file_;
};

TEST_F(PluginFile, LoadsWhenOnlyItsOwnerMayChangeIt) {
  const auto engine = MustLoad(file_, {.expected_id = "refused"});
  EXPECT_EQ(engine->id(), "refused");
  EXPECT_EQ(engine->smi_version(), 0x10000u);
}

TEST_F(PluginFile, IsRefusedWhenOthersMayWriteIt) {
  for (const auto writer :
       {std::filesystem::perms::group_write, std::filesystem::perms::others_write}) {
    Allow(file_, writer);
    const auto engine = LoadPlugin(file_);
    ASSERT_FALSE(engine.ok());
    EXPECT_EQ(engine.status().reason(), Reason::kPathNotAllowed);
    std::filesystem::permissions(file_, writer, std::filesystem::perm_options::remove);
  }
}

TEST_F(PluginFile, IsRefusedWhenEveryoneMayReplaceIt) {
  Allow(folder_, std::filesystem::perms::others_write);
  EXPECT_EQ(LoadPlugin(file_).status().reason(), Reason::kPathNotAllowed);
}

TEST_F(PluginFile, IsRefusedUnlessRegularAndThere) {
  EXPECT_EQ(LoadPlugin(folder_).status().reason(), Reason::kPathNotAllowed);
  EXPECT_EQ(LoadPlugin("/dev/null").status().reason(), Reason::kPathNotAllowed);
  EXPECT_EQ(LoadPlugin(folder_ / "none.so").status().reason(), Reason::kFileNotFound);
}

TEST_F(PluginFile, IsRefusedWhenItIsNoSharedObjectAndDoesNotSayWhereItIs) {
  std::filesystem::resize_file(file_, 100);
  const auto engine = LoadPlugin(file_);
  ASSERT_FALSE(engine.ok());
  EXPECT_EQ(engine.status().reason(), Reason::kPluginFailed);
  EXPECT_THAT(std::string(engine.status().message()), Not(HasSubstr(folder_.string())));
}

TEST_F(PluginFile, IsRefusedUnderAnotherId) {
  const auto engine = LoadPlugin(file_, {.expected_id = "other"});
  ASSERT_FALSE(engine.ok());
  EXPECT_EQ(engine.status().reason(), Reason::kPluginIncompatible);
  EXPECT_THAT(std::string(engine.status().message()),
              HasSubstr("plugin_id is \"refused\"; expected \"other\""));
}

TEST_F(PluginFile, LoadsOnceAtATimeAndAgainLater) {
  auto first = MustLoad(file_);
  EXPECT_EQ(LoadPlugin(file_).status().reason(), Reason::kAlreadyExists);
  first.reset();
  MustLoad(file_);
}

TEST(LoadPlugin, ANewerPatchIsCompatible) { MustLoad(Fixture("newer_patch")); }

TEST(LoadPlugin, ThePluginOfTheUsersPageLoadsAndRuns) {
  const auto engine = MustLoad(Fixture("page"), {.expected_id = "my-ml-plugin"});
  EXPECT_EQ(engine->name(), "my-ml-plugin");
  EXPECT_EQ(engine->version(), "");
  EXPECT_TRUE(engine->formats().empty());
  EXPECT_EQ(engine->health(), engine::EngineHealth::kOk);
  const auto response = MustLoadModel(*engine, "mine")->Infer(Request("x", Floats({1})), nullptr);
  ASSERT_TRUE(response.ok()) << response.status();
  EXPECT_TRUE(response->outputs.empty());
}

TEST(LoadPlugin, AnExceptionThatLeavesThePluginIsAFailureAndNotACrash) {
  EXPECT_EQ(LoadPlugin(Fixture("thrower"), {.config = "{}"}).status().reason(),
            Reason::kPluginFailed);
  const auto engine = MustLoad(Fixture("thrower"));
  EXPECT_EQ(engine->Load({.model_id = "throws", .path = "none"}).status().reason(),
            Reason::kPluginFailed);
  const auto model = MustLoadModel(*engine, "quiet");
  EXPECT_EQ(model->Infer({}, nullptr).status().reason(), Reason::kPluginFailed);
}

TEST(ModelThreads, AreGrantedToAModelThatHasSomeAndTakenBackBeforeItGoes) {
  const auto path =
      std::filesystem::path(::testing::TempDir()) / ("mlos-acting-" + std::to_string(::getpid()));
  std::ofstream(path) << "2";
  const auto engine = MustLoad(Fixture("acting"));
  {
    const auto without = engine->Load({.model_id = "a", .path = path}).value();
    EXPECT_EQ(MetricOf(*engine, "granted_threads"), -1) << "nothing is granted unasked";
  }
  EXPECT_EQ(MetricOf(*engine, "granted_threads"), -1);
  {
    const auto with = engine->Load({.model_id = "b", .path = path, .thread_count = 3}).value();
    EXPECT_EQ(MetricOf(*engine, "granted_threads"), 3);
  }
  EXPECT_EQ(MetricOf(*engine, "granted_threads"), 0);
  std::filesystem::remove(path);
}

TEST(ModelThreads, AreRefusedWhereThePluginHasNoneToGive) {
  for (const char* plugin : {"fine", "teller"}) {
    const auto engine = MustLoad(Fixture(plugin));
    const auto model = engine->Load({.model_id = "m", .path = "none", .thread_count = 2});
    ASSERT_FALSE(model.ok()) << plugin;
    EXPECT_EQ(model.status().reason(), Reason::kInvalidField) << model.status();
    EXPECT_EQ(model.status().field(), "intra_op_threads");
  }
}

}  // namespace
}  // namespace mlos::plugin
