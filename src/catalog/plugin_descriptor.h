// SPDX-License-Identifier: MIT
#pragma once

#include <filesystem>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"

namespace mlos::catalog {

/// A file `libx.plugin.yaml` describes the plugin `libx.so` beside it.
inline constexpr std::string_view kDescriptorSuffix = ".plugin.yaml";

/// What is known of a plugin before it is loaded. The plugin must agree when it is. Plain data.
struct PluginDescriptor {
  /// The shared object, absolute and free of symbolic links.
  std::filesystem::path library;
  std::string id;
  /// For people; empty if the descriptor has none.
  std::string name;
  /// The formats that the plugin runs, at least one.
  std::vector<std::string> formats;
  /// Of the files that hold models of the first format, in lower case with their dot: ".onnx".
  std::vector<std::string> extensions;
};

/// The place of the descriptor of `library`.
std::filesystem::path DescriptorPathOf(const std::filesystem::path& library);

/// Reads the descriptor at `path`, whose owner and mode must be those that a plugin's file must
/// have (see plugin::LoadPlugin). PLUGIN_INCOMPATIBLE names the field that is missing, unknown or
/// wrong, or asks for more than this Core can do; FILE_NOT_FOUND, PATH_NOT_ALLOWED.
Result<PluginDescriptor> ReadDescriptor(const std::filesystem::path& path);

/// The descriptor beside `library`, if there is one.
Result<std::optional<PluginDescriptor>> FindDescriptor(const std::filesystem::path& library);

/// The descriptors in a folder, by file name. One that cannot be read is logged and left out.
std::vector<PluginDescriptor> DescriptorsIn(const std::filesystem::path& folder);

}  // namespace mlos::catalog
