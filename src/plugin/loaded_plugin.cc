// SPDX-License-Identifier: MIT
#include "plugin/loaded_plugin.h"

#include <algorithm>
#include <cstring>
#include <utility>

#include "base/log.h"
#include "base/threads.h"
#include "plugin/negotiate.h"

namespace mlos::plugin {
namespace {

constexpr std::size_t kFormatsMax = 64;
constexpr std::size_t kTextBytesMax = 128;

using InitFunction = smi_plugin_t* (*)();

Result<const smi_plugin_t*> Init(const SharedObject& object) {
  const auto init = reinterpret_cast<InitFunction>(object.Find("smi_plugin_init"));
  if (init == nullptr) {
    return Status(Reason::kPluginIncompatible, "smi_plugin_init is not exported by the file");
  }
  const smi_plugin_t* plugin = nullptr;
  try {
    plugin = init();
  } catch (...) {
    return Status(Reason::kPluginFailed, "a C++ exception left smi_plugin_init");
  }
  if (plugin == nullptr) return Status(Reason::kPluginFailed, "smi_plugin_init refused (NULL)");
  return plugin;
}

std::string Text(const char* text, std::string_view otherwise) {
  if (text == nullptr) return std::string(otherwise);
  return CleanMessage({text, ::strnlen(text, kTextBytesMax)});
}

/// A plugin that declares no formats does not tell, and what was promised is believed.
Status CheckFormats(const std::vector<std::string>& promised,
                    const std::vector<std::string>& declared) {
  if (declared.empty()) return OkStatus();
  for (const std::string& format : promised) {
    if (std::find(declared.begin(), declared.end(), format) != declared.end()) continue;
    return {Reason::kPluginIncompatible, "the plugin's descriptor lists the format '" + format +
                                             "', which the plugin itself does not"};
  }
  return OkStatus();
}

engine::EngineHealth HealthOf(int state) {
  if (state == SMI_HEALTH_OK) return engine::EngineHealth::kOk;
  return state == SMI_HEALTH_DEGRADED ? engine::EngineHealth::kDegraded
                                      : engine::EngineHealth::kFailed;
}

}  // namespace

Result<std::shared_ptr<LoadedPlugin>> LoadedPlugin::Open(const std::filesystem::path& path,
                                                         const PluginOptions& options) {
  std::unique_ptr<SharedObject> object = MLOS_TRY(SharedObject::Open(path));
  const smi_plugin_t* plugin = MLOS_TRY(Init(*object));
  MLOS_TRY(Negotiate(plugin, options.expected_id));
  std::shared_ptr<LoadedPlugin> loaded(new LoadedPlugin(std::move(object), *plugin, options),
                                       &LetGo<LoadedPlugin>);
  MLOS_TRY(loaded->Start(options));
  return loaded;
}

LoadedPlugin::LoadedPlugin(std::unique_ptr<SharedObject> object, const smi_plugin_t& plugin,
                           const PluginOptions& options)
    : object_(std::move(object)),
      plugin_(plugin),
      id_(plugin.plugin_id),
      name_(id_),
      host_(id_, options.arena_bytes_max) {}

LoadedPlugin::~LoadedPlugin() {
  control_.reset();
  if (granted_ && smi().deallocate_resources != nullptr) {
    static_cast<void>(Call(smi().deallocate_resources, nullptr));
  }
  if (started_ && smi().cleanup != nullptr && Call(smi().cleanup) != SMI_SUCCESS) {
    Log(LogLevel::kWarning, "plugin cleanup failed",
        {{"plugin", id_}, {"error", CallError::Last()}});
  }
  if (host_.allocated_bytes() > 0) {
    Log(LogLevel::kWarning, "plugin leaked memory of the host",
        {{"plugin", id_}, {"bytes", host_.allocated_bytes()}});
  }
}

Status LoadedPlugin::Start(const PluginOptions& options) {
  if (smi().attach != nullptr) {
    if (const int status = Call(smi().attach, host_.table()); status != SMI_SUCCESS) {
      return Failure(Activity::kStart, status);
    }
  }
  const char* config = options.config.empty() ? nullptr : options.config.c_str();
  if (const int status = Call(smi().initialize, config); status != SMI_SUCCESS) {
    return Failure(Activity::kStart, status);
  }
  started_ = true;
  MLOS_TRY(ReadInfo());
  MLOS_TRY(CheckFormats(options.promised_formats, formats_));
  if (formats_.empty()) formats_ = options.promised_formats;
  control_ = Control::Ask(smi());
  return GrantResources(options);
}

Status LoadedPlugin::ReadInfo() {
  if (smi().get_plugin_info == nullptr) return OkStatus();
  smi_plugin_info_t info{};
  info.struct_size = sizeof(info);
  if (const int status = Call(smi().get_plugin_info, &info); status != SMI_SUCCESS) {
    return Failure(Activity::kStart, status);
  }
  name_ = Text(info.name, id_);
  version_ = Text(info.version, "");
  if (info.format_count > kFormatsMax || (info.format_count > 0 && info.formats == nullptr)) {
    return {Reason::kPluginFailed, "the plugin declares " + std::to_string(info.format_count) +
                                       " formats; at most " + std::to_string(kFormatsMax)};
  }
  for (std::size_t i = 0; i < info.format_count; ++i) formats_.push_back(Text(info.formats[i], ""));
  return OkStatus();
}

Status LoadedPlugin::GrantResources(const PluginOptions& options) {
  if (smi().allocate_resources == nullptr) return OkStatus();
  smi_resources_t resources{};
  resources.struct_size = sizeof(resources);
  resources.thread_count = ThreadsOrCores(options.thread_count);
  resources.memory_bytes = options.arena_bytes_max;
  const int status = Call(smi().allocate_resources, nullptr, &resources);
  if (status != SMI_SUCCESS) return Failure(Activity::kStart, status);
  granted_ = true;
  return OkStatus();
}

engine::EngineHealth LoadedPlugin::Health() {
  if (smi().get_health == nullptr) return engine::EngineHealth::kOk;
  MutexLock lock(health_mutex_);
  smi_health_t health{};
  health.struct_size = sizeof(health);
  if (Call(smi().get_health, &health) != SMI_SUCCESS) return engine::EngineHealth::kFailed;
  int state = 0;
  std::memcpy(&state, &health.state, sizeof(state));
  return HealthOf(state);
}

engine::MemoryReport LoadedPlugin::Memory(smi_model_t* model) {
  engine::MemoryReport memory;
  if (smi().get_memory_report != nullptr) {
    smi_memory_report_t report{};
    report.struct_size = sizeof(report);
    if (Call(smi().get_memory_report, model, &report) == SMI_SUCCESS) {
      memory = {report.weight_bytes, report.arena_bytes, report.arena_limit_bytes};
    }
  }
  if (model == nullptr) memory.arena_bytes += host_.allocated_bytes();
  return memory;
}

Status LoadedPlugin::Failure(Activity activity, int smi_status, std::string_view folder) const {
  return StatusOf(activity, smi_status, id_, CleanMessage(CallError::Last(), folder));
}

}  // namespace mlos::plugin
