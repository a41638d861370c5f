// SPDX-License-Identifier: MIT
#pragma once

#include <filesystem>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "daemon/config.h"

namespace mlos::daemon {

/// Where values come from, strongest first: flags, environment, file; then the defaults.
struct ConfigSources {
  /// Values given on the command line, by key of the option.
  std::map<std::string, std::vector<std::string>, std::less<>> flags;
  /// Looks up an environment variable.
  std::optional<std::string> (*environment)(const std::string& name) = nullptr;
  /// The configuration file, if one was named.
  std::optional<std::filesystem::path> file;
};

/// The value of a variable of this process's environment.
std::optional<std::string> ProcessEnvironment(const std::string& name);

/// Merges the sources and checks the whole. INVALID_CONFIG names the place of the bad value:
/// "mlos.yaml:3: http_port: '99999' is not a whole number from 0 to 65535".
Result<Config> LoadConfig(const ConfigSources& sources);

/// The defaults, also those that depend on the machine (state folder by user, plugin folders by
/// program), but for the socket, which depends on the other options.
Config DefaultConfig();

/// The configuration as a file that LoadConfig accepts.
std::string ToYaml(const Config& config);

/// True for 127.0.0.0/8, ::1 and localhost.
bool IsLoopback(const std::string& host);

}  // namespace mlos::daemon
