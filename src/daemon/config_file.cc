// SPDX-License-Identifier: MIT
#include "daemon/config_file.h"

#include <yaml-cpp/yaml.h>

#include <set>
#include <string>
#include <vector>

#include "base/files.h"
#include "daemon/options.h"

namespace mlos::daemon {
namespace {

constexpr std::uint64_t kFileBytesMax = 1 << 20;

/// Reads one file and knows its name for messages.
class ConfigFile {
 public:
  ConfigFile(const std::filesystem::path& path, Config& config) : path_(path), config_(config) {}

  Status Apply() {
    const std::string text = MLOS_TRY(ReadFile(path_, kFileBytesMax));
    try {
      const std::vector<YAML::Node> documents = YAML::LoadAll(text);
      if (documents.size() > 1) {
        return Bad(documents[1].Mark(), "a second document begins here; only one is allowed");
      }
      return documents.empty() ? OkStatus() : ApplyDocument(documents.front());
    } catch (const YAML::Exception& error) {
      return Bad(error.mark, error.msg);
    }
  }

 private:
  Status Bad(const YAML::Mark& mark, const std::string& why) const {
    return {Reason::kInvalidConfig,
            path_.string() + ":" + std::to_string(mark.line + 1) + ": " + why};
  }

  Status ApplyDocument(const YAML::Node& document) {
    if (document.IsNull()) return OkStatus();
    if (!document.IsMap()) return Bad(document.Mark(), "the file must be a list of `key: value`");
    std::set<std::string> seen;
    for (const auto& entry : document) {
      const auto key = entry.first.as<std::string>();
      const Option* option = FindOption(key);
      if (option == nullptr) return Bad(entry.first.Mark(), "unknown key '" + key + "'");
      if (!seen.insert(key).second) return Bad(entry.first.Mark(), "key '" + key + "' twice");
      MLOS_TRY(ApplyEntry(*option, entry.second));
    }
    return OkStatus();
  }

  Status ApplyEntry(const Option& option, const YAML::Node& value) {
    std::vector<std::string> values;
    if (option.is_list && value.IsSequence()) {
      for (const auto& element : value) {
        if (!element.IsScalar()) return Bad(element.Mark(), "a list of plain values is expected");
        values.push_back(element.Scalar());
      }
    } else if (value.IsScalar()) {
      values.push_back(value.Scalar());
    } else {
      return Bad(value.Mark(), std::string(option.key) + ": a plain value is expected");
    }
    Status set = option.set(config_, values);
    if (set.ok()) return set;
    return Bad(value.Mark(), std::string(option.key) + ": " + std::string(set.message()));
  }

  const std::filesystem::path& path_;
  Config& config_;
};

}  // namespace

Status ApplyConfigFile(const std::filesystem::path& path, Config& config) {
  return ConfigFile(path, config).Apply();
}

}  // namespace mlos::daemon
