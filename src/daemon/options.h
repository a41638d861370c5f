// SPDX-License-Identifier: MIT
#pragma once

#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/status.h"
#include "daemon/config.h"

namespace mlos::daemon {

/// One thing that can be configured, under one name everywhere: key `http_port` of the file, flag
/// `--http-port`, variable `MLOS_HTTP_PORT`.
struct Option {
  std::string_view key;
  std::string_view flag;        ///< "--http-port"
  std::string_view short_flag;  ///< "-p", or empty
  std::string_view value_name;  ///< "PORT"; empty for a switch
  std::string_view help;        ///< one sentence, with range and unit
  bool is_list;     ///< several values: repeated flag, comma-separated variable, YAML list
  bool reloadable;  ///< SIGHUP applies it; others need a restart
  /// Reads the value's text into the configuration. INVALID_CONFIG, without saying where it stood.
  Status (*set)(Config& config, const std::vector<std::string>& values);
  std::vector<std::string> (*get)(const Config& config);

  /// "MLOS_HTTP_PORT".
  std::string environment() const;
};

/// All of them, in the order of the documentation.
std::span<const Option> Options();
/// The option with `key`, or null.
const Option* FindOption(std::string_view key);

}  // namespace mlos::daemon
