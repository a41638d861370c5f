// SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>
#include <string>
#include <string_view>
#include <system_error>
#include <thread>
#include <vector>

#include "base/mutex.h"
#include "base/result.h"
#include "engine/engine.h"
#include "mlos/smi_spec.h"
#include "plugin/call_error.h"
#include "plugin/control.h"
#include "plugin/host_services.h"
#include "plugin/message.h"
#include "plugin/plugin_engine.h"
#include "plugin/shared_object.h"

namespace mlos::plugin {

/// Destroys a thing of a plugin whose destruction calls the plugin: here, or on another thread if
/// this one is the plugin's.
template <typename T>
void LetGo(T* thing) {
  if (!InsideHost::here()) {
    delete thing;
    return;
  }
  try {
    std::thread([thing] { delete thing; }).detach();
  } catch (const std::system_error&) {
    // No thread to be had: it is kept, since destroying it here might wait for ever.
  }
}

/// A plugin from its negotiation to its cleanup. Shared by the engine, its models and the responses
/// that live in its memory; the last of them cleans it up and unmaps it. Thread-safe.
class LoadedPlugin {
 public:
  /// See LoadPlugin.
  static Result<std::shared_ptr<LoadedPlugin>> Open(const std::filesystem::path& path,
                                                    const PluginOptions& options);
  LoadedPlugin(const LoadedPlugin&) = delete;
  LoadedPlugin& operator=(const LoadedPlugin&) = delete;
  ~LoadedPlugin();

  const smi_plugin_interface_t& smi() const { return plugin_.interface; }
  std::uint32_t smi_version() const { return plugin_.smi_version; }
  const std::string& id() const { return id_; }
  const std::string& name() const { return name_; }
  const std::string& version() const { return version_; }
  const std::vector<std::string>& formats() const { return formats_; }
  const HostServices& host() const { return host_; }
  /// Null if the plugin has no control extension.
  Control* control() const { return control_.get(); }

  engine::EngineHealth Health();
  /// Of `model`, or of the whole plugin for null; zeros where the plugin does not tell.
  engine::MemoryReport Memory(smi_model_t* model);

  /// Calls a function of the plugin. An exception that leaves it is a failure like others: C++
  /// plugins may not do that, but Core goes on.
  template <typename... Parameters, typename... Arguments>
  static int Call(smi_status_t (*function)(Parameters...), Arguments... arguments) {
    CallError::Clear();
    try {
      return function(arguments...);
    } catch (...) {
      CallError::Set("a C++ exception left the plugin");
      return SMI_ERROR_RUNTIME;
    }
  }

  /// The failure of the call that has just returned `smi_status` on this thread. Names in `folder`
  /// are shown relative to it.
  Status Failure(Activity activity, int smi_status, std::string_view folder = {}) const;

 private:
  LoadedPlugin(std::unique_ptr<SharedObject> object, const smi_plugin_t& plugin,
               const PluginOptions& options);
  Status Start(const PluginOptions& options);
  Status ReadInfo();
  Status GrantResources(const PluginOptions& options);

  // Unmapped last.
  const std::unique_ptr<SharedObject> object_;
  const smi_plugin_t& plugin_;
  const std::string id_;
  std::string name_;
  std::string version_;
  std::vector<std::string> formats_;
  HostServices host_;
  std::unique_ptr<Control> control_;
  bool started_ = false;
  bool granted_ = false;
  Mutex health_mutex_;  // get_health is never called twice at once
};

}  // namespace mlos::plugin
