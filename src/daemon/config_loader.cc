// SPDX-License-Identifier: MIT
#include "daemon/config_loader.h"

#include <arpa/inet.h>
#include <unistd.h>
#include <yaml-cpp/yaml.h>

#include <cstdlib>
#include <system_error>

#include "base/files.h"
#include "daemon/config_file.h"
#include "daemon/options.h"
#include "daemon/socket_place.h"

namespace mlos::daemon {
namespace {

namespace fs = std::filesystem;

std::vector<std::string> SplitCommas(const std::string& text) {
  std::vector<std::string> values;
  std::size_t start = 0;
  while (true) {
    const std::size_t comma = text.find(',', start);
    values.push_back(text.substr(start, comma - start));
    if (comma == std::string::npos) return values;
    start = comma + 1;
  }
}

// A list is typed as `--allowed-hosts a,b`. Folders may contain commas, so their flags are repeated
// instead.
std::vector<std::string> ListValues(const Option& option, std::vector<std::string> values) {
  if (!option.is_list || option.value_name == "DIR") return values;
  std::vector<std::string> split;
  for (const std::string& value : values) {
    for (std::string& element : SplitCommas(value)) split.push_back(std::move(element));
  }
  return split;
}

Status ApplyEnvironment(const ConfigSources& sources, Config& config) {
  if (sources.environment == nullptr) return OkStatus();
  for (const Option& option : Options()) {
    const std::string name = option.environment();
    const auto value = sources.environment(name);
    if (!value) continue;
    const auto values = option.is_list ? SplitCommas(*value) : std::vector<std::string>{*value};
    MLOS_TRY(option.set(config, values).WithContext(name));
  }
  return OkStatus();
}

Status ApplyFlags(const ConfigSources& sources, Config& config) {
  for (const auto& [key, values] : sources.flags) {
    const Option* option = FindOption(key);
    MLOS_CHECK(option != nullptr, "a flag without an option");
    MLOS_TRY(option->set(config, ListValues(*option, values)).WithContext(option->flag));
  }
  return OkStatus();
}

Status CheckTls(const Config& config) {
  const bool encrypted = !config.tls_cert.empty();
  if (encrypted != !config.tls_key.empty()) {
    return {Reason::kInvalidConfig,
            encrypted ? "tls_key: needed beside tls_cert" : "tls_cert: needed beside tls_key"};
  }
  if (!encrypted && !config.tls_client_ca.empty()) {
    return {Reason::kInvalidConfig, "tls_client_ca: of no use without tls_cert and tls_key"};
  }
  if (encrypted || config.insecure || IsLoopback(config.http_host)) return OkStatus();
  if (!config.listens_on_network()) return OkStatus();
  return {Reason::kInvalidConfig, "http_host: '" + config.http_host +
                                      "' is not a loopback address, so tls_cert and tls_key are "
                                      "needed; --insecure serves without encryption"};
}

Status CheckWhole(const Config& config) {
  if (config.state_dir.empty()) {
    return {Reason::kInvalidConfig,
            "state_dir: this user has no home folder to keep it in; name one with --state-dir"};
  }
  if (!config.listens_on_network() && config.no_ipc) {
    return {Reason::kInvalidConfig,
            "no_http, no_grpc and no_ipc together close every door; leave one of them out"};
  }
  if (config.listens_on_network() && !IsLoopback(config.http_host) && config.model_roots.empty()) {
    return {Reason::kInvalidConfig,
            "model_roots: at least one folder is needed if http_host is not a loopback address; "
            "otherwise strangers could register any file of this machine"};
  }
  MLOS_TRY(CheckTls(config));
  // A body is counted as a whole, so a larger one could never be admitted.
  if (config.body_bytes_max > config.in_flight_bytes_max) {
    return {Reason::kInvalidConfig,
            "body_bytes_max: one body may not be larger than in_flight_bytes_max"};
  }
  return OkStatus();
}

fs::path ProgramFolder() {
  std::error_code error;
  const fs::path program = fs::read_symlink("/proc/self/exe", error);
  return program.parent_path();
}

/// Empty where nothing absolute can be derived; then the option is needed.
std::string DefaultStateDir() {
  if (::geteuid() == 0) return "/var/lib/mlos";
  // What is relative counts as unset (XDG Base Directory Specification).
  if (const auto state = ProcessEnvironment("XDG_STATE_HOME"); state && state->starts_with('/')) {
    return *state + "/mlos";
  }
  const std::optional<fs::path> home = HomeFolder();
  return home ? (*home / ".local/state/mlos").string() : std::string();
}

}  // namespace

std::optional<std::string> ProcessEnvironment(const std::string& name) {
  const char* value = std::getenv(name.c_str());
  if (value == nullptr) return std::nullopt;
  return value;
}

Config DefaultConfig() {
  Config config;
  config.state_dir = DefaultStateDir();
  // Beside the program in a build folder, below the prefix once installed.
  const fs::path folder = ProgramFolder();
  // Folders that do not exist are left out, since only one of the two does.
  for (const fs::path& dir : {folder / "plugins", folder.parent_path() / "lib/mlos/plugins"}) {
    std::error_code error;
    if (fs::is_directory(dir, error)) config.plugin_dirs.push_back(dir.string());
  }
  return config;
}

Result<Config> LoadConfig(const ConfigSources& sources) {
  Config config = DefaultConfig();
  // The weakest source first: each one overwrites the values of those before it.
  if (sources.file) MLOS_TRY(ApplyConfigFile(*sources.file, config));
  MLOS_TRY(ApplyEnvironment(sources, config));
  MLOS_TRY(ApplyFlags(sources, config));
  MLOS_TRY(CheckWhole(config));
  if (config.socket.empty()) config.socket = DefaultSocket(config.state_dir);
  return config;
}

std::string ToYaml(const Config& config) {
  YAML::Emitter yaml;
  yaml << YAML::BeginMap;
  for (const Option& option : Options()) {
    const std::vector<std::string> values = option.get(config);
    yaml << YAML::Key << std::string(option.key) << YAML::Value;
    if (option.is_list) {
      yaml << YAML::Flow << values;
    } else {
      yaml << values.front();
    }
  }
  yaml << YAML::EndMap;
  return std::string(yaml.c_str()) + "\n";
}

bool IsLoopback(const std::string& host) {
  in_addr address{};
  if (::inet_pton(AF_INET, host.c_str(), &address) == 1) return ntohl(address.s_addr) >> 24 == 127;
  return host == "localhost" || host == "::1";
}

}  // namespace mlos::daemon
