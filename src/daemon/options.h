// SPDX-License-Identifier: MIT
#pragma once

#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/status.h"
#include "daemon/config.h"

namespace mlos::daemon {

/// One option, under the same name everywhere: key `http_port` of the file, flag `--http-port`,
/// variable `MLOS_HTTP_PORT`.
struct Option {
  std::string_view key;
  std::string_view flag;        ///< "--http-port"
  std::string_view short_flag;  ///< "-p", or empty
  std::string_view value_name;  ///< "PORT"; empty for a switch
  std::string_view help;        ///< one line for --help
  bool is_list;     ///< several values: repeated flag, comma-separated variable, YAML list
  bool reloadable;  ///< SIGHUP applies it; the others need a restart
  /// Reads the value's text into the configuration. INVALID_CONFIG does not say where the text is
  /// from.
  Status (*set)(Config& config, const std::vector<std::string>& values);
  std::vector<std::string> (*get)(const Config& config);
  /// How to choose a number, and what goes wrong if it is too low or too high; in Markdown. Empty
  /// for an option whose value is not a number.
  std::string_view advice = {};

  /// "MLOS_HTTP_PORT".
  std::string environment() const;
  /// The unit of its value: "bytes", "ms", "µs" or "".
  std::string_view unit() const;
};

/// All of them, in the order of the documentation.
std::span<const Option> Options();
/// The option with `key`, or null.
const Option* FindOption(std::string_view key);

}  // namespace mlos::daemon
