// SPDX-License-Identifier: MIT
#include "plugin/plugin.h"

#include <utility>

#include "base/log.h"
#include "plugin/loaded_plugin.h"
#include "plugin/negotiate.h"
#include "plugin/smi_model.h"

namespace mlos::plugin {
namespace {

/// The engine over a plugin; all state is the plugin's.
class SmiEngine final : public PluginEngine {
 public:
  explicit SmiEngine(std::shared_ptr<LoadedPlugin> plugin) : plugin_(std::move(plugin)) {}

  std::string_view id() const override { return plugin_->id(); }
  std::string_view name() const override { return plugin_->name(); }
  std::string_view version() const override { return plugin_->version(); }
  const std::vector<std::string>& formats() const override { return plugin_->formats(); }

  Result<std::unique_ptr<engine::LoadedModel>> Load(const engine::ModelSource& source) override {
    return std::make_unique<SmiModel>(MLOS_TRY(RegisteredModel::Create(plugin_, source)));
  }
  engine::EngineHealth health() const override { return plugin_->Health(); }
  engine::MemoryReport memory() const override { return plugin_->Memory(nullptr); }

  std::vector<engine::Gauge> gauges() const override { return plugin_->host().Gauges(); }
  std::uint32_t smi_version() const override { return plugin_->smi_version(); }

 private:
  const std::shared_ptr<LoadedPlugin> plugin_;
};

}  // namespace

Result<std::shared_ptr<PluginEngine>> LoadPlugin(const std::filesystem::path& path,
                                                 const PluginOptions& options) {
  auto engine = std::make_shared<SmiEngine>(MLOS_TRY(LoadedPlugin::Open(path, options)));
  Log(LogLevel::kInfo, "plugin loaded",
      {{"plugin", engine->id()},
       {"version", engine->version()},
       {"smi", VersionText(engine->smi_version())}});
  return std::shared_ptr<PluginEngine>(std::move(engine));
}

}  // namespace mlos::plugin
