// SPDX-License-Identifier: MIT
#pragma once

#include <filesystem>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"

namespace axon::config {

/// The settings of a config.yaml, by dotted name. A file that does not exist has none.
/// INVALID_CONFIG with the line if it is not a YAML mapping of scalars.
mlos::Result<std::map<std::string, std::string>> ReadConfigFile(const std::filesystem::path& path);

/// Sets one setting and keeps all others, also unknown ones; comments are not kept. The file is
/// replaced in one step, and readable by its owner only.
mlos::Status SetInConfigFile(const std::filesystem::path& path, std::string_view name,
                             std::string_view value);

}  // namespace axon::config
