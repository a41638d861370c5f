// SPDX-License-Identifier: MIT
// The life of plugins: registered with or without a file, loaded again, removed.

#include <algorithm>

#include "registry/registry.h"
#include "runtime/runtime_fixture.h"

namespace mlos::runtime {
namespace {

namespace fs = std::filesystem;
using ::testing::ElementsAre;

class PluginsTest : public RuntimeTest {
 protected:
  /// A plugin folder with a copy of the acting plugin and a descriptor of it.
  fs::path Describe(const std::string& name, const std::string& descriptor) {
    const fs::path plugins = folder() / "plugins";
    const fs::path library = plugins / (name + ".so");
    fs::create_directories(plugins);
    fs::copy_file(MLOS_TEST_PLUGIN, library, fs::copy_options::overwrite_existing);
    Write("plugins/" + name + ".plugin.yaml", descriptor);
    fs::permissions(plugins / (name + ".plugin.yaml"), fs::perms{0644});
    options_.plugin_dirs = {plugins};
    return library;
  }
  Result<catalog::RegisterModelOutcome> RegisterByName(const std::string& path) {
    catalog::RegisterModelRequest request;
    request.model_id = "m";
    request.path = path;
    return runtime_->RegisterModel(request);
  }
  void ExpectRefusal(const catalog::RegisterPluginRequest& request, Reason reason,
                     std::string_view field) {
    const Result<catalog::PluginInfo> info = runtime_->RegisterPlugin(request);
    ASSERT_FALSE(info.ok());
    EXPECT_EQ(info.status().reason(), reason) << info.status();
    EXPECT_EQ(info.status().field(), field) << info.status();
  }
};

TEST_F(PluginsTest, APluginWithoutAFileAwaitsIt) {
  Start();
  const catalog::RegisterPluginRequest page{
      .id = "acting", .name = "My ML Plugin", .version = "1.0.0"};
  EXPECT_EQ(runtime_->RegisterPlugin(page).value().state, catalog::PluginState::kRegistered);
  EXPECT_EQ(runtime_->RegisterPlugin(page).value().state, catalog::PluginState::kRegistered);
  catalog::RegisterModelRequest model = Request("m", Model("m", "2"));
  model.plugin_id = "acting";
  EXPECT_EQ(runtime_->RegisterModel(model).status().reason(), Reason::kNoPlugin);
  const catalog::PluginInfo loaded =
      runtime_->RegisterPlugin({.id = "acting", .path = MLOS_TEST_PLUGIN}).value();
  EXPECT_EQ(loaded.state, catalog::PluginState::kLoaded);
  EXPECT_EQ(loaded.name, "My ML Plugin");
  EXPECT_TRUE(runtime_->RegisterModel(model).ok());
}

TEST_F(PluginsTest, ALoadedPluginTellsOfItselfAndComesBackAfterARestart) {
  StartWithPlugin();
  ASSERT_TRUE(Register("m", Model("m", "2")).ok());
  for (int restart = 0; restart < 2; ++restart) {
    const catalog::PluginInfo info = runtime_->GetPlugin("acting").value();
    EXPECT_EQ(info.state, catalog::PluginState::kLoaded);
    EXPECT_EQ(info.name, "Acting");
    EXPECT_EQ(info.version, "1.0.0");
    EXPECT_THAT(info.formats, ElementsAre("acting"));
    EXPECT_THAT(info.model_ids, ElementsAre("m"));
    EXPECT_FALSE(info.builtin);
    Start();
  }
}

TEST_F(PluginsTest, TheSameAgainChangesNothingAndAnotherIsAConflict) {
  StartWithPlugin();
  EXPECT_TRUE(runtime_->RegisterPlugin({.id = "acting", .path = MLOS_TEST_PLUGIN}).ok());
  EXPECT_TRUE(runtime_->RegisterPlugin({.id = "acting"}).ok());
  ExpectRefusal({.id = "acting", .name = "other"}, Reason::kConflict, "");
}

TEST_F(PluginsTest, IsNotRemovedWhileModelsNeedIt) {
  StartWithPlugin();
  ASSERT_TRUE(Register("m", Model("m", "2")).ok());
  EXPECT_EQ(runtime_->RemovePlugin("acting").reason(), Reason::kPluginInUse);
  ASSERT_TRUE(runtime_->RemoveModel("m").ok());
  EXPECT_TRUE(runtime_->RemovePlugin("acting").ok());
  EXPECT_EQ(runtime_->RemovePlugin("acting").reason(), Reason::kPluginNotFound);
  EXPECT_EQ(runtime_->GetPlugin("acting").status().reason(), Reason::kPluginNotFound);
  EXPECT_TRUE(runtime_->RegisterPlugin({.id = "acting", .path = MLOS_TEST_PLUGIN}).ok())
      << "it was not unloaded";
}

TEST_F(PluginsTest, RefusesWithTheFieldAtFaultAndRegistersNothing) {
  Start();
  Write("elsewhere.so", "x");
  ExpectRefusal({}, Reason::kMissingField, "id");
  ExpectRefusal({.id = "a/b"}, Reason::kInvalidField, "id");
  ExpectRefusal({.id = "acting", .name = std::string(1000, 'x')}, Reason::kInvalidField, "name");
  ExpectRefusal({.id = "acting", .path = folder() / "elsewhere.so"}, Reason::kPathNotAllowed,
                "path");
  ExpectRefusal({.id = "other", .path = MLOS_TEST_PLUGIN}, Reason::kPluginIncompatible, "path");
  ExpectRefusal({.id = "acting", .path = MLOS_TEST_PLUGIN, .config = R"({"refuse":true})"},
                Reason::kInvalidConfig, "path");
  EXPECT_EQ(runtime_->GetPlugin("acting").status().reason(), Reason::kPluginNotFound);
}

TEST_F(PluginsTest, APluginThatIsGoneAfterARestartIsReportedAndBlocksNothing) {
  fs::create_directories(folder() / "plugins");
  const fs::path copy = folder() / "plugins/copy.so";
  fs::copy_file(MLOS_TEST_PLUGIN, copy);
  options_.plugin_dirs = {folder() / "plugins"};
  Start();
  ASSERT_TRUE(runtime_->RegisterPlugin({.id = "acting", .path = copy}).ok());
  ASSERT_TRUE(Register("m", Model("m", "2")).ok());
  fs::rename(copy, folder() / "plugins/away");
  Start();
  EXPECT_TRUE(runtime_->ready());
  EXPECT_EQ(runtime_->GetPlugin("acting").value().state, catalog::PluginState::kFailed);
  EXPECT_EQ(runtime_->GetModel("m").value().error.reason(), Reason::kNoPlugin);
  fs::rename(folder() / "plugins/away", copy);
  runtime_->LoadRegistered();
  EXPECT_EQ(Answer("m", 2), 4) << "a reload tries again what failed";
}

TEST_F(PluginsTest, APluginThatKilledCoreIsLoadedAgainOnlyWhenAskedFor) {
  StartWithPlugin();
  ASSERT_TRUE(Register("m", Model("m", "2")).ok());
  runtime_.reset();
  auto registry = registry::Registry::Open(options_.state_dir / "registry.db").value();
  const std::string path = registry->Plugins().value().at(0).path;
  ASSERT_TRUE(registry->BeginLoading(registry::LoadKind::kPlugin, "acting", path).ok());
  registry.reset();
  for (int restart = 0; restart < 2; ++restart) {
    Start();
    EXPECT_EQ(runtime_->GetPlugin("acting").value().state, catalog::PluginState::kFailed);
    EXPECT_EQ(StateOf("m"), catalog::ModelState::kFailed);
  }
  EXPECT_TRUE(runtime_->RegisterPlugin({.id = "acting", .path = path}).ok());
  EXPECT_TRUE(runtime_->LoadModel("m").ok());
  Start();
  EXPECT_EQ(Answer("m", 2), 4);
}

constexpr const char* kActing = "id: acting\nname: Acts\nformats: [acting]\nextensions: [.act]\n";

TEST_F(PluginsTest, APluginWithADescriptorIsKnownWithoutBeingLoadedAndNeedsNoRegistration) {
  const fs::path library = Describe("acting", kActing);
  Start();
  const catalog::PluginInfo known = runtime_->GetPlugin("acting").value();
  EXPECT_EQ(known.state, catalog::PluginState::kRegistered);
  EXPECT_EQ(known.name, "Acts");
  EXPECT_THAT(known.formats, ElementsAre("acting"));
  EXPECT_TRUE(known.builtin);
  ExpectRefusal({.id = "acting", .path = library}, Reason::kAlreadyExists, "id");
  EXPECT_EQ(runtime_->RemovePlugin("acting").reason(), Reason::kPermissionDenied);

  const auto outcome = RegisterByName(Model("m.act", "2"));
  ASSERT_TRUE(outcome.ok()) << outcome.status();
  EXPECT_EQ(outcome->info.execution_format, "acting");
  EXPECT_EQ(runtime_->GetPlugin("acting").value().state, catalog::PluginState::kLoaded);
  EXPECT_EQ(Answer("m", 2), 4);
}

TEST_F(PluginsTest, AFolderIsServedByItsOnlyFileWithAKnownExtension) {
  Describe("acting", kActing);
  Start();
  Model("folder/README.txt", "words");
  const std::string file = Model("folder/inner/m.act", "2");
  ASSERT_TRUE(RegisterByName(folder() / "models/folder").ok());
  EXPECT_EQ(Answer("m", 2), 4);
  Start();
  EXPECT_EQ(Answer("m", 2), 4) << "after a restart";
  Model("folder/other.act", "3");
  ASSERT_TRUE(runtime_->RemoveModel("m").ok());
  EXPECT_EQ(RegisterByName(folder() / "models/folder").status().reason(),
            Reason::kUnsupportedModel);
  EXPECT_TRUE(RegisterByName(file).ok());
}

TEST_F(PluginsTest, ADescriptorThatLiesIsFoundOutWhenThePluginIsLoaded) {
  Describe("liar", "id: liar\nformats: [lies]\nextensions: [.lie]\n");
  Describe("acting", "id: acting\nformats: [other]\nextensions: [.other]\n");
  Start();
  EXPECT_EQ(runtime_->ListPlugins().size(), 2U);
  for (const char* extension : {".lie", ".other"}) {
    const Status status = RegisterByName(Model(std::string("m") + extension, "2")).status();
    EXPECT_EQ(status.reason(), Reason::kNoPlugin) << status;
  }
  for (const char* plugin_id : {"liar", "acting"}) {
    const catalog::PluginInfo info = runtime_->GetPlugin(plugin_id).value();
    EXPECT_EQ(info.state, catalog::PluginState::kFailed);
    EXPECT_EQ(info.error.reason(), Reason::kPluginIncompatible) << info.error;
  }
}

TEST_F(PluginsTest, ABrokenDescriptorStopsNeitherCoreNorOtherPlugins) {
  const fs::path library = Describe("acting", "id: acting\nformats: [acting]\nisolation: full\n");
  Describe("fine", "id: fine\nformats: [fine]\n");
  Start();
  EXPECT_TRUE(runtime_->ready());
  ASSERT_EQ(runtime_->ListPlugins().size(), 1U);
  EXPECT_EQ(runtime_->ListPlugins()[0].id, "fine");
  const Status status = runtime_->RegisterPlugin({.id = "acting", .path = library}).status();
  EXPECT_EQ(status.reason(), Reason::kPluginIncompatible);
  EXPECT_THAT(std::string(status.message()), ::testing::HasSubstr("isolation: 'full'"));
}

TEST_F(PluginsTest, ARegistrationGoesBeforeADescriptorThatCameLater) {
  const fs::path library = Describe("acting", kActing);
  const fs::path descriptor = folder() / "plugins/acting.plugin.yaml";
  fs::rename(descriptor, folder() / "later");
  Start();
  ASSERT_TRUE(runtime_->RegisterPlugin({.id = "acting", .name = "Mine", .path = library}).ok());
  fs::rename(folder() / "later", descriptor);
  Start();
  EXPECT_EQ(runtime_->GetPlugin("acting").value().name, "Mine");
  EXPECT_EQ(runtime_->GetPlugin("acting").value().state, catalog::PluginState::kLoaded);
  EXPECT_TRUE(runtime_->RemovePlugin("acting").ok());
  EXPECT_EQ(runtime_->GetPlugin("acting").value().name, "Acts") << "as its descriptor says";
  EXPECT_TRUE(RegisterByName(Model("m.act", "2")).ok());
}

TEST_F(PluginsTest, TheBuiltInPluginIsLoadedWhenItIsFirstNeeded) {
  options_.plugin_dirs = {fs::path(MLOS_TEST_ONNX).parent_path()};
  Start();
  ASSERT_EQ(runtime_->ListPlugins().size(), 1U);
  EXPECT_TRUE(runtime_->ListPlugins()[0].builtin);
  ExpectRefusal({.id = "onnx-runtime-builtin"}, Reason::kAlreadyExists, "id");
  EXPECT_EQ(runtime_->ListPlugins()[0].state, catalog::PluginState::kRegistered);
  catalog::RegisterModelRequest request;
  request.model_id = "add";
  request.path = MLOS_TEST_MODELS "/add.onnx";
  const Result<catalog::RegisterModelOutcome> outcome = runtime_->RegisterModel(request);
  ASSERT_TRUE(outcome.ok()) << outcome.status();
  EXPECT_EQ(runtime_->ListPlugins()[0].state, catalog::PluginState::kLoaded);
  EXPECT_EQ(outcome->info.plugin_id, "onnx-runtime-builtin");

  engine::InferenceRequest inference;
  for (const char* name : {"a", "b"}) {
    inference.inputs.push_back(
        {name, tensor::Tensor::Allocate(tensor::DType::kFloat32, {1, 3}).value()});
    std::fill_n(static_cast<float*>(inference.inputs.back().tensor.data()), 3, 1.5F);
  }
  const Outcome sum = Run(Admit("add").value(), std::move(inference)).get();
  ASSERT_TRUE(sum.ok()) << sum.status();
  EXPECT_EQ(sum->outputs.at(0).tensor.elements<float>()[2], 3.0F);
}

TEST_F(PluginsTest, WithoutTheBuiltInPluginAnOnnxModelHasNone) {
  Start();
  catalog::RegisterModelRequest request;
  request.model_id = "add";
  request.path = MLOS_TEST_MODELS "/add.onnx";
  EXPECT_EQ(runtime_->RegisterModel(request).status().reason(), Reason::kNoPlugin);
}

}  // namespace
}  // namespace mlos::runtime
