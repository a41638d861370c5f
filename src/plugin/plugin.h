// SPDX-License-Identifier: MIT
#pragma once

#include <filesystem>
#include <memory>

#include "base/result.h"
#include "plugin/plugin_engine.h"

namespace mlos::plugin {

/// Loads the plugin at `path`: opens the shared object, negotiates, attaches the host's services,
/// initialises it and grants it its resources. The file must be a regular one, writable by nobody
/// but its owner, who is root or this process's user (PATH_NOT_ALLOWED), in folders that not
/// everyone may change. FILE_NOT_FOUND; ALREADY_EXISTS while the same file is loaded;
/// PLUGIN_INCOMPATIBLE names the member of smi_plugin_t or of its interface that differs;
/// PLUGIN_FAILED where the plugin refused, INVALID_CONFIG where it refused `config`. Whether the
/// folder is one to load plugins from is the caller's decision.
Result<std::shared_ptr<PluginEngine>> LoadPlugin(const std::filesystem::path& path,
                                                 const PluginOptions& options = {});

}  // namespace mlos::plugin
